import torch

from wiesel.blocks.linear_head import linear_head


def test_the_linear_head_sees_only_the_mean_of_each_map():
    torch.manual_seed(0)
    head, maps = linear_head(6, 3), torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(head(maps), maps.mean((2, 3)) @ head.linear.weight.T + head.linear.bias)


def test_dropout_stands_before_the_linear_layer_if_there_is_any():
    assert [name for name, _ in linear_head(6, 3).named_children()] == ["pool", "flatten", "linear"]
    assert [name for name, _ in linear_head(6, 3, dropout=0.2).named_children()] == ["pool", "flatten", "dropout", "linear"]
    assert linear_head(6, 3, dropout=0.2).dropout.p == 0.2

"""The graph of a network: nodes, edges, skips; from a recorded forward pass, or from what gradients pass through."""

"""What a lecturer shows: filters, frequencies, animations, gradients, feature maps; each a Matplotlib figure or an HTML page.

    from wiesel import teaching

    teaching.show_filter_effects("cat.jpg", language="de").save("filter.png")
    teaching.create_conv_animation(stride=2).save("animation.html")

Every function returns an object with `.alt_text` (the finding in a sentence), `.save(path)` and, for notebooks, `_repr_html_`. Labels
are German or English by `language="de"` or `"en"`, otherwise in the reader's language. Importing this room loads nothing; a function
loads what it needs when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

# A function must not be called like its file: once the file is imported, Python puts the module in the place of the function.
_WHERE = {
    "compare_parameter_counts": "wiesel.teaching.parameters:compare_parameter_counts",
    "compare_pooling": "wiesel.teaching.pooling:compare_pooling",
    "convolution_theorem": "wiesel.teaching.theorem:convolution_theorem",
    "create_conv_animation": "wiesel.teaching.animation:create_conv_animation",
    "feature_maps": "wiesel.teaching.features:feature_maps",
    "flows_of_cures": "wiesel.teaching.flow_cures:flows_of_cures",
    "four_kernels": "wiesel.teaching.meanings:four_kernels",
    "frequency_response": "wiesel.teaching.frequency:frequency_response",
    "gradient_flow_along_training": "wiesel.teaching.gradient_figures:gradient_flow_along_training",
    "gradient_flow_figure": "wiesel.teaching.gradient_figures:gradient_flow_figure",
    "inception_and_wavelets": "wiesel.teaching.wavelets:inception_and_wavelets",
    "inception_branches": "wiesel.teaching.wavelets:inception_branches",
    "learned_filters": "wiesel.teaching.learned:learned_filters",
    "one_by_one": "wiesel.teaching.channel_mixing:one_by_one",
    "picture": "wiesel.teaching.pictures:picture",
    "plot_frequency_response": "wiesel.teaching.frequency_plot:plot_frequency_response",
    "short_training": "wiesel.teaching.flow_cures:short_training",
    "shortcut_figure": "wiesel.teaching.gradient_figures:shortcut_figure",
    "show_example": "wiesel.teaching.parameters:show_example",
    "show_filter_effects": "wiesel.teaching.filter_effects:show_filter_effects",
    "visualize_convolution_step": "wiesel.teaching.step_figure:visualize_convolution_step",
    "visualize_features": "wiesel.teaching.features:visualize_features",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        module, attribute = _WHERE[name].split(":")
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'wiesel.teaching' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_WHERE]

"""Settings of Sphinx. Build with ``python -m sphinx -n -W --keep-going docs build/site``."""

import importlib.util
import os
import sys
from pathlib import Path

os.environ["SCIPY_ARRAY_API"] = "1"  # read once, when scikit-learn is first imported
os.environ.setdefault("MPLBACKEND", "Agg")

import sklearn_heartkd

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "sklearn_heartkd"
author = "The sklearn_heartkd developers"
copyright = f"2026, {author}"
version = release = sklearn_heartkd.__version__

extensions = [
    "command_help",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "images",
    "templates",
    "**/GALLERY_HEADER.rst",
    "sg_execution_times.rst",
    "examples/sg_execution_times.rst",
    "examples/*/sg_execution_times.rst",
]
templates_path = ["templates"]
default_role = "literal"  # as in scikit-learn: docstrings use single backticks for code

# Pages
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Reference
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings describe the types
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Missing references (-n) that inherited docstrings of scikit-learn bring, and those to other packages
nitpick_ignore = [
    ("std:ref", "accuracy_score"),
    ("std:ref", "df_output_transform"),
    ("std:ref", "metadata_routing"),
    ("std:ref", "sphx_glr_auto_examples_miscellaneous_plot_set_output.py"),
    ("std:term", "meta-estimator"),
]
_others = ("imblearn", "joblib", "numpy", "pandas", "scipy", "sklearn", "skorch", "torch")
nitpick_ignore_regex = [("py:.*", rf"{name}\..*") for name in _others]

# Gallery
_sections = ("data", "distillation", "evaluation", "explanations", "deployment", "ecosystem")
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "nested_sections": False,
    "subsection_order": [f"../examples/{name}" for name in _sections],
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("sklearn_heartkd",),
    "backreferences_dir": "reference/backreferences",
    "capture_repr": ("_repr_html_",),
    "image_scrapers": ("matplotlib",),
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_signature": False,
    "min_reported_time": 1,
    "plot_gallery": True,
    "download_all_examples": True,
}

# Site: nothing is loaded from elsewhere, and pages work from a folder
html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_heartkd {release}"
html_theme_options = {
    "logo": {"text": "sklearn_heartkd"},
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "show_prev_next": False,
    "collapse_navigation": True,  # otherwise half of each reference page is navigation
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_context = {"default_mode": "auto"}
_without_sidebar = ("index", "getting-started", "glossary", "changelog", "contributing")
html_sidebars = {page: [] for page in _without_sidebar}
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # summaries are fetched, which browsers refuse for files
mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
html_static_path = ["static", str(mathjax / "static" / "mathjax" / "tex-svg.js")]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
mathjax_path = "tex-svg.js"


def remove_source_maps(app, error):
    """Remove the theme's source maps, which are a tenth of the site."""
    for path in Path(app.outdir, "_static").rglob("*.map"):
        path.unlink()


def setup(app):
    """Connect what this file defines."""
    app.connect("build-finished", remove_source_maps)

"""The directive ``command-help``: what ``heartkd VERB --help`` prints."""

import io
import os
from contextlib import redirect_stdout, suppress
from unittest import mock

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from sklearn_heartkd.cli import main


class CommandHelp(SphinxDirective):
    """Insert the help of one verb as a literal block."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        printed = io.StringIO()
        width = mock.patch.dict(os.environ, {"COLUMNS": "90", "NO_COLOR": "1"})
        with width, redirect_stdout(printed), suppress(SystemExit):
            main([self.arguments[0], "--help"])
        return [nodes.literal_block(printed.getvalue(), printed.getvalue(), language="none")]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}

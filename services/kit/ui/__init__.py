"""The shared look of all pages: layout, macros, filters, styles, and the guards around every response.

Pages follow the GOV.UK Design System without its font and crown, and need no JavaScript.
A service builds its templates with `build_templates`, installs the rest with `services.kit.ui.web.install_ui`,
and extends `layout.html`. Nothing here knows a word of the domain.
"""

from services.kit.ui.environment import Navigation, build_templates, navigation_of
from services.kit.ui.web import install_ui

__all__ = ["Navigation", "build_templates", "install_ui", "navigation_of"]

"""The rules by which Quart finds the route of an address."""

from collections.abc import Callable

from quart.routing import QuartRule


class MatchedRule(QuartRule):
    """A rule that is matched; how to write an address from it is compiled only when one is asked.

    Werkzeug compiles two functions per route for that, which no part of the host uses: nearly all
    of the time that it takes to make an application. Should this private hook go away, nothing
    else changes.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - Werkzeug's signature
        compiled = super()._compile_builder

        def build(rule: QuartRule, **values: object) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build

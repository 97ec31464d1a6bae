"""States as data: the page, the diagram, the check constraint and the tests read the same table."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

# Called as `guard(case, **named)`: the case, and of the move's context exactly the keyword-only parameters that the
# guard declares. It returns the reason why the move may not be made, or None. It must be pure.
Guard = Callable[..., Bilingual | None]

_WRONG_STATE = Bilingual(
    zh="目前狀態為「{state}」,無法進行「{move}」。",
    en="“{move}” is not possible while the state is “{state}”.",
)

# Mermaid ends a label at a quotation mark, a semicolon or the end of the line; its way out is a numbered entity.
_MERMAID = str.maketrans({char: f"#{ord(char)};" for char in '#";\n'})

State = TypeVar("State", bound=str)


class Stateful(Protocol):
    """What a machine moves: anything with an attribute `state`, be it a row or a plain object."""

    state: Any


@dataclass(frozen=True, slots=True)
class Move:
    """One permitted change of state.

    `right` is the id of the right that it needs, None for what only time or the system does; the machine does not ask
    for it, the caller does. `clause` is where the charter or law provides for it; `words` is the label of its button.
    """

    name: str
    sources: Collection[str]
    target: str
    right: str | None = field(kw_only=True)
    guards: tuple[Guard, ...] = field(default=(), kw_only=True)
    clause: str = field(default="", kw_only=True)
    words: Bilingual = field(kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.sources, str):
            raise TypeError(f"move {self.name}: sources is a collection of states, not the text {self.sources!r}")
        for guard in self.guards:
            _declared(guard)

    def refusal_of(self, case: Stateful, context: Mapping[str, object]) -> Bilingual | None:
        """Return the reason of the first guard that objects, or None.

        Raises TypeError when the context lacks something that a guard declares: a missing fact is a mistake of the
        program and must not look like a yes or a no.
        """
        for guard in self.guards:
            named = {name: context[name] for name in _declared(guard) if name in context}
            reason = guard(case, **named)
            if reason is not None:
                return reason
        return None


class Machine:
    """A table of states and moves, checked as a whole when it is built.

    `states` maps each state to its name for people, in the order in which they are shown; `initial` is where every case
    begins; `final` lists exactly the states that nothing leaves. Raises ValueError for a table that contradicts itself.
    """

    def __init__(
        self,
        name: str,
        states: Mapping[State, Bilingual],
        initial: str,
        moves: Iterable[Move],
        final: Collection[str] = (),
    ) -> None:
        self.name = name
        # A member of a str enumeration becomes the plain text that the database holds.
        self.states: Mapping[str, Bilingual] = {_plain(state): words for state, words in states.items()}
        self.initial = _plain(initial)
        self.moves: tuple[Move, ...] = tuple(moves)
        self.final: frozenset[str] = frozenset(_plain(state) for state in final)
        self._by_name = {move.name: move for move in self.moves}
        self._check_names()
        self._check_reachable()
        self._check_final()

    def __getitem__(self, name: str) -> Move:
        """Return the move of that name; raises KeyError for one that the table does not have."""
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"machine {self.name} has no move {name!r}") from None

    def move(self, case: Stateful, name: str, **context: object) -> Move:
        """Make the move: check source and guards, set `case.state`, return the move.

        The caller holds the lock on the case, has asked for `right`, and saves. Raises Refusal with the reason when the
        state or a guard stands against it (the case is then untouched), KeyError for an unknown move.
        """
        move = self[name]
        reason = self.why_not(case, name, **context)
        if reason is not None:
            raise Refusal(reason, rule=f"{self.name}:{name}", clause=move.clause)
        case.state = _plain(move.target)
        return move

    def why_not(self, case: Stateful, name: str, **context: object) -> Bilingual | None:
        """Return why the move cannot be made now, or None when it can. Raises as `move` does, save Refusal."""
        move = self[name]
        if self._state_of(case) not in move.sources:
            return _WRONG_STATE.format(move=move.words, state=self.states[self._state_of(case)])
        return move.refusal_of(case, context)

    def available(self, state: str) -> tuple[Move, ...]:
        """Return the moves that leave `state`, in the order of the table; guards are not asked."""
        self._require_state(state)
        return tuple(move for move in self.moves if state in move.sources)

    def check_constraint_values(self) -> list[str]:
        """Return every state as the text that may stand in the database, in the order of the table."""
        return list(self.states)

    def diagram(self, language: str = "zh-hant") -> str:
        """Return the machine as a Mermaid `stateDiagram-v2`, the same text for the same table."""
        lines = ["stateDiagram-v2"]
        for state, words in self.states.items():
            lines.append(f'    state "{_label(words, language)}" as {state}')
        lines.append(f"    [*] --> {self.initial}")
        for move in self.moves:
            clause = f" ({move.clause})" if move.clause else ""
            lines += [
                f"    {state} --> {_plain(move.target)}: {_label(move.words, language)}{clause}"
                for state in self.states
                if state in move.sources
            ]
        lines += [f"    {state} --> [*]" for state in self.states if state in self.final]
        return "\n".join(lines) + "\n"

    def _state_of(self, case: Stateful) -> str:
        self._require_state(case.state)
        return _plain(case.state)

    def _require_state(self, state: object) -> None:
        if state not in self.states:
            raise ValueError(f"machine {self.name} has no state {state!r}")

    def _check_names(self) -> None:
        seen: set[str] = set()
        for move in self.moves:
            if move.name in seen:
                raise ValueError(f"machine {self.name}: two moves are called {move.name!r}")
            seen.add(move.name)
            if not move.sources:
                raise ValueError(f"machine {self.name}: move {move.name!r} starts from no state")
            for state in (*move.sources, move.target):
                self._require_state(state)
        for state in (self.initial, *self.final):
            self._require_state(state)

    def _check_reachable(self) -> None:
        reached = {self.initial}
        while more := {_plain(move.target) for move in self.moves if not reached.isdisjoint(move.sources)} - reached:
            reached |= more
        if lost := [state for state in self.states if state not in reached]:
            raise ValueError(f"machine {self.name}: nothing leads to {', '.join(lost)}")

    def _check_final(self) -> None:
        ends = {state for state in self.states if not self.available(state)}
        if wrong := sorted(ends ^ self.final):
            raise ValueError(
                f"machine {self.name}: final must list exactly what nothing leaves; see {', '.join(wrong)}"
            )


def _declared(guard: Guard) -> list[str]:
    """Return the keyword-only parameters of a guard; raises TypeError unless it takes one case before them."""
    kinds = inspect.Parameter
    parameters = list(inspect.signature(guard).parameters.values())
    if [p.kind for p in parameters[:1]] not in ([kinds.POSITIONAL_ONLY], [kinds.POSITIONAL_OR_KEYWORD]) or any(
        p.kind is not kinds.KEYWORD_ONLY for p in parameters[1:]
    ):
        raise TypeError(f"guard {guard!r} must take the case and, after *, the facts that it needs by name")
    return [p.name for p in parameters[1:]]


def _plain(state: str) -> str:
    return str.__str__(state)


def _label(words: Bilingual, language: str) -> str:
    return words.in_language(language).translate(_MERMAID)

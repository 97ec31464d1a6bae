"""What is reached from each node of a graph, found in one walk over all of it, however long its paths are.

A walk from every node by itself takes the square of their number: 2,000 notes that name each other in a circle kept a
process busy for five seconds. Nodes that reach each other (Tarjan's strong components) share what they reach. Plain
Python, without recursion, since a chain may be 10,000 long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator


class Closure:
    """What is reached, as numbers; `edges` and `values` of a node are asked once."""

    def __init__(self, edges: Callable[[str], Iterable[str]], values: Callable[[str], Iterable[int]]) -> None:
        self._edges, self._values = edges, values
        self._group: dict[str, int] = {}
        """Node -> its strong component."""
        self._own: list[Counter[int]] = []
        """Component -> how many of its nodes have a value."""
        self._beyond: list[frozenset[int]] = []
        """Component -> the values of everything that it reaches outside itself."""
        self._depth: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._open: list[str] = []

    def reached(self, start: str, refs: Iterable[str]) -> set[int]:
        """Return the values of `refs` and of all that they reach, but not those that `start` alone has."""
        found: set[int] = set()
        for group in {self._group_of(ref) for ref in refs if ref != start}:
            found |= self._beyond[group]
            if group != self._group.get(start):
                found |= self._own[group].keys()
                continue
            # A circle leads back to the start, which is not among what it is about.
            others = self._own[group] - Counter(set(self._values(start)))
            found |= others.keys()
        return found

    def _group_of(self, node: str) -> int:
        if node not in self._group:
            self._walk(node)
        return self._group[node]

    def _walk(self, root: str) -> None:
        path: list[tuple[str, Iterator[str]]] = [(root, self._enter(root))]
        while path:
            node, edges = path[-1]
            step = next(edges, None)
            if step is not None:
                if step in self._group:
                    continue
                if step in self._depth:
                    self._low[node] = min(self._low[node], self._depth[step])
                else:
                    path.append((step, self._enter(step)))
                continue
            path.pop()
            if path:
                above = path[-1][0]
                self._low[above] = min(self._low[above], self._low[node])
            if self._low[node] == self._depth[node]:
                self._close(node)

    def _enter(self, node: str) -> Iterator[str]:
        self._depth[node] = self._low[node] = len(self._depth)
        self._open.append(node)
        return iter(self._edges(node))

    def _close(self, node: str) -> None:
        """Everything opened since `node` is one component with it."""
        members = [self._open.pop()]
        while members[-1] != node:
            members.append(self._open.pop())
        number = len(self._own)
        for member in members:
            self._group[member] = number
        own: Counter[int] = Counter()
        beyond: set[int] = set()
        groups: set[int] = set()
        for member in members:
            own.update(set(self._values(member)))
            groups.update(self._group[step] for step in self._edges(member))
        for group in groups - {number}:
            beyond |= self._own[group].keys() | self._beyond[group]
        self._own.append(own)
        self._beyond.append(frozenset(beyond))

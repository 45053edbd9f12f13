"""Charts as SVG, drawn on the server. Colours are classes of the style sheet, for the content policy allows no style.
Pure."""

from collections.abc import Sequence
from html import escape
from itertools import accumulate

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 240, 48, 28, 12


def areas(title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Series laid on each other over common labels (days); `series` are pairs of class name and values."""
    columns = zip(*(values for _, values in series), strict=True)
    sums: list[tuple[int, ...]] = list(zip(*map(accumulate, columns), strict=True)) or [()] * len(series)
    top = _round_up(max((value for row in sums for value in row), default=0))
    below: Sequence[int] = [0] * len(labels)
    shapes = []
    for (name, _), above in zip(series, sums, strict=True):
        forth = [f"{_x(i, len(labels))},{_y(value, top)}" for i, value in enumerate(above)]
        back = [f"{_x(i, len(labels))},{_y(value, top)}" for i, value in reversed(list(enumerate(below)))]
        shapes.append(f'<polygon class="area {escape(name)}" points="{" ".join(forth + back)}"/>')
        below = above
    return _svg(title, _grid(top) + "".join(shapes) + _dates(labels))


def bars(title: str, labels: Sequence[str], values: Sequence[int]) -> str:
    """One bar for each label."""
    top = _round_up(max(values, default=0))
    step = (WIDTH - LEFT) / max(len(values), 1)
    drawn = []
    for i, (label, value) in enumerate(zip(labels, values, strict=True)):
        x, y = LEFT + i * step + step * 0.14, _y(value, top)
        drawn.append(
            f'<rect class="bar" x="{x:.1f}" y="{y}" width="{step * 0.72:.1f}" height="{HEIGHT - BOTTOM - y:.1f}"/>'
            f'<text class="tick middle" x="{x + step * 0.36:.1f}" y="{HEIGHT - 8}">{escape(label)}</text>'
        )
    return _svg(title, _grid(top) + "".join(drawn))


def _svg(title: str, inside: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )


def _grid(top: int) -> str:
    lines = []
    for part in range(5):
        value = top * part / 4
        y = _y(value, top)
        lines.append(
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH}" y1="{y}" y2="{y}"/>'
            f'<text class="tick end" x="{LEFT - 8}" y="{y + 4}">{value:g}</text>'
        )
    return "".join(lines)


def _dates(labels: Sequence[str]) -> str:
    """The first, the last and a few between them."""
    if not labels:
        return ""
    last = len(labels) - 1
    marks = sorted({round(last * part / 4) for part in range(5)})
    anchor = {0: "start", last: "end"}
    return "".join(
        f'<text class="tick {anchor.get(i, "middle")}" x="{_x(i, len(labels))}" y="{HEIGHT - 8}">'
        f"{escape(labels[i])}</text>"
        for i in marks
    )


def _x(index: int, count: int) -> float:
    return round(LEFT + (WIDTH - LEFT) * index / max(count - 1, 1), 1)


def _y(value: float, top: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top, 1)


def _round_up(value: int) -> int:
    """4, 8, 20, 40, 80, 200 …: the first of them not below `value`, that four equal whole steps lead to."""
    power = 1
    while True:
        for step in (4, 8, 20):
            if step * power >= value:
                return step * power
        power *= 10

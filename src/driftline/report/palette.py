"""The colors of pages and plots, as CSS variables and for matplotlib. No I/O here."""

LIGHT = {
    "page": "#f3f5f7", "card": "#ffffff", "ink": "#1c2833", "soft": "#5b6b78", "line": "#dfe5ea", "link": "#0f5c6e",
    "ok": "#1a6d44", "ok-back": "#d9f0e3", "warn": "#8a5a00", "warn-back": "#fdebc4",
    "alert": "#a8261c", "alert-back": "#fbdcd8", "wait": "#32598f", "wait-back": "#dce8f8",
    "none": "#5b6b78", "none-back": "#e6eaee", "error": "#7a2a7d", "error-back": "#f2ddf3",
    "realized": "#14639e", "estimated": "#7a55bd", "band": "rgb(122 85 189 / 14%)",
    "bound": "#c98a00", "outside": "#cf4436", "edge": "#80909c",
    "s0": "#f0f3f5", "s1": "#e3e9ed", "s2": "#d2dce3", "s3": "#bccad5",
    "s4": "#fbd08c", "s5": "#f39a54", "s6": "#d9552f", "s7": "#96201a",
}  # fmt: skip
"""By name; s0 to s7 shade drift, from far inside the bound (s0) over the bound itself (s4) to far beyond it (s7)."""
DARK = {
    "page": "#11171c", "card": "#1a2229", "ink": "#e4ebf0", "soft": "#9aabb8", "line": "#2c3842", "link": "#6cc5d8",
    "ok": "#7ed6a5", "ok-back": "#17402c", "warn": "#f2c063", "warn-back": "#4a3607",
    "alert": "#ff9d92", "alert-back": "#571d18", "wait": "#9fc3f2", "wait-back": "#1d3655",
    "none": "#9aabb8", "none-back": "#2a343d", "error": "#e2a4e5", "error-back": "#462047",
    "realized": "#6db8ee", "estimated": "#b79df0", "band": "rgb(183 157 240 / 18%)",
    "bound": "#d9a63f", "outside": "#ff7a6b", "edge": "#6f8291",
    "s0": "#212b33", "s1": "#2a3741", "s2": "#354551", "s3": "#435664",
    "s4": "#8a6420", "s5": "#b36a26", "s6": "#d0562f", "s7": "#f0806f",
}  # fmt: skip
"""The same names for pages in dark mode."""
SHADES = tuple(LIGHT[f"s{shade}"] for shade in range(8))
"""The shades of drift, in order."""


def css_variables() -> str:
    """Return the CSS rules that define a variable for each color, in light and dark mode."""
    light, dark = _declarations(LIGHT), _declarations(DARK)
    return (
        f":root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def _declarations(colors: dict[str, str]) -> str:
    return " ".join(f"--{name}: {color};" for name, color in colors.items())

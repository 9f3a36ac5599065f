"""``/docs``: the API as a page to read, from our own files.

Its one script puts the address that the page was loaded from into the lines of curl.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from dashboard.api.about import ABOUT
from dashboard.api.command_fields import LISTED_WITH, described_commands
from dashboard.api.examples import ADDRESS
from dashboard.api.openapi import WORDS, document
from dashboard.api.reference import sections

pages = Blueprint("reference", __name__)
PATH = "/docs"
STYLE, SCRIPT = "/assets/css/docs.css", "/assets/js/docs.mjs"
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>t4dm: REST API</title>
<link rel="stylesheet" href="{{ style }}">
<script type="module" src="{{ script }}"></script>
</head>
<body data-address="{{ address }}">
<nav aria-label="Operations">
<p class="brand"><a href="/">t4dm</a> <span>{{ version }}</span></p>
{% for section in sections %}
<h2>{{ section.tag }}</h2>
<ul>
{% for one in section.operations %}
<li><a href="#{{ one.name }}"><b>{{ one.method }}</b> {{ one.path }}</a></li>
{% endfor %}
</ul>
{% endfor %}
</nav>
<main>
<h1>REST API</h1>
<p>{{ words|marked }} The document behind this page: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<p>Where keys are set, send yours in the header <code>X-API-Key</code>; a view-only key opens every GET.
Leave <code>session_id</code> out for the session <code>default</code>. A query field that an operation does
not have is refused; what an answer lists of how much there is stands under <code>shown</code>. A refusal has one shape:
<code>{"error": {code, message, field, lo, hi, unit, choices}}</code>.</p>
{% for section in sections %}
<h2>{{ section.tag }}</h2>
<p>{{ section.words|marked }}</p>
{% for one in section.operations %}
<section id="{{ one.name }}">
<h3><b class="{{ one.method|lower }}">{{ one.method }}</b> {{ one.path }}</h3>
<p>{{ one.summary|marked }}</p>
{% if one.description %}<p>{{ one.description|marked }}</p>{% endif %}
<pre tabindex="0">{{ one.curl }}</pre>
{{ table("Parameter", one.parameters) }}{{ table("Body", one.body) }}
{%- if one.name == listed_with %}{{ commands_table(commands) }}{% endif %}{{ table("Answer", one.answer) }}
</section>
{% endfor %}
{% endfor %}
</main>
</body>
</html>
"""
TABLE = """{% macro table(title, fields) %}{% if fields %}
<table>
<thead><tr><th scope="col">{{ title }}</th><th scope="col">Kind</th><th scope="col">Default</th><th scope="col"></th></tr></thead>
<tbody>
{% for f in fields %}
<tr><td><code>{{ f.name }}</code>{% if f.where in ("path", "header") %} {{ f.where }}{% endif %}</td><td>{{ f.kind }}</td><td>{{ f.default }}</td><td>{{ f.words|marked }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}{% endmacro %}
{% macro commands_table(commands) %}
<table>
<thead><tr><th scope="col">Command</th><th scope="col">Sessions</th><th scope="col">Fields</th><th scope="col"></th></tr></thead>
<tbody>
{% for c in commands %}
<tr><td><code>{{ c.name }}</code></td><td>{{ c.taken_by }}</td><td>{% for f in c.fields %}<code>{{ f.name }}</code> {{ f.kind }}{% if f.words %}: {{ f.words|marked }}{% endif %}{% if not loop.last %}; {% endif %}{% endfor %}</td><td>{{ c.words|marked }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endmacro %}"""
CODE = re.compile(r"(?<!`)(``?)(?!`)(.+?)(?<!`)\1(?!`)")


def marked(text: str) -> Markup:
    """``text`` as HTML, with what stands between one or two backticks as code."""
    return Markup(CODE.sub(r"<code>\2</code>", str(escape(text))))


_environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_environment.filters["marked"] = marked
_page = _environment.from_string(TABLE + TEMPLATE)


@pages.get(PATH)
def docs() -> Response:
    """The page, made from the same document that ``/openapi.json`` answers."""
    text = _page.render(
        sections=sections(document(current_app)),  # type: ignore[arg-type]
        version=ABOUT["version"], words=WORDS, style=STYLE, script=SCRIPT, address=ADDRESS,
        listed_with=LISTED_WITH, commands=described_commands(),
    )  # fmt: skip
    return Response(text, mimetype="text/html")

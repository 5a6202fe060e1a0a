"""The OpenAPI document as one page for people: no script, no font, nothing from elsewhere.

*In*: the document. *Out*: HTML. *Never*: text that is not escaped.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8885;--dim:#777;--mark:#0a6ebd}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:2rem 1.5rem;max-width:64rem}
h1{margin:0 0 .5rem}h2{margin:2.5rem 0 .5rem;text-transform:capitalize}
h3{margin:0;font-size:1rem;font-weight:600}
nav{columns:18rem;margin:1.5rem 0;font-size:.9rem}nav a{display:block;text-decoration:none}
a{color:var(--mark)}code,pre{font-family:ui-monospace,monospace;font-size:.87em}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.6rem .9rem}
summary{cursor:pointer}summary .path{font-family:ui-monospace,monospace}
.verb{display:inline-block;min-width:4.2rem;font-weight:700;color:var(--mark)}
.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;
border-bottom:1px solid var(--line)}
th{font-size:.8rem;color:var(--dim);font-weight:600}
pre{overflow:auto;padding:.6rem;border:1px solid var(--line);border-radius:4px}
h4{margin:1rem 0 .2rem;font-size:.9rem}
"""


def render(document: Mapping[str, Any]) -> str:
    """The page."""
    info = document["info"]
    return "".join(
        (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(info['title'])} API</h1>",
            f'<p class="dim">Version {escape(info["version"])} · OpenAPI {document["openapi"]} · ',
            '<a href="/v1/openapi.json">openapi.json</a></p>',
            f"<p>{escape(info['description'])}</p>",
            *_contents(document),
            *_operations(document),
            "<h2>Schemas</h2>",
            *_schemas(document["components"]["schemas"]),
            "</body></html>",
        )
    )


def _each(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _contents(document: Mapping[str, Any]) -> Iterator[str]:
    yield "<nav>"
    for method, path, operation in _each(document):
        yield f'<a href="#{escape(operation["operationId"])}"><code>{method} {escape(path)}'
        yield "</code></a>"
    yield "</nav>"


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2>"
        for method, path, operation in _each(document):
            if tag["name"] in operation["tags"]:
                yield from _operation(method, path, operation)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}" open><summary>'
    yield f'<span class="verb">{method}</span><span class="path">{escape(path)}</span></summary>'
    words = " ".join((operation["summary"], operation.get("description", "")))
    needs = "" if "security" in operation else " No account is needed."
    yield f"<p>{escape(words)}{needs}</p>"
    if operation["parameters"]:
        rows = (
            (one["name"], f"{_kind(one['schema'])}, in {one['in']}", one.get("description", ""))
            for one in operation["parameters"]
        )
        yield from _table(("Parameter", "Kind", "What it means"), rows)
    if "requestBody" in operation:
        for media_type, content in operation["requestBody"]["content"].items():
            yield f"<h4>Body <code>{escape(media_type)}</code></h4><p>{_kind(content['schema'])}</p>"
    rows = (
        (status, ", ".join(_answer(response)), response["description"])
        for status, response in operation["responses"].items()
    )
    yield from _table(("Status", "Answer", "When"), rows)
    yield "</details>"


def _answer(response: Mapping[str, Any]) -> Iterator[str]:
    for media_type, content in response.get("content", {}).items():
        yield f"{_kind(content['schema'])} <code>{escape(media_type)}</code>"


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in schemas.items():
        yield f'<details id="schema-{escape(name)}" open><summary><h3 style="display:inline">'
        yield f"{escape(name)}</h3></summary><p>{escape(schema.get('description', ''))}</p>"
        required = schema.get("required", ())
        rows = (
            (
                member + ("" if member in required else " (optional)"),
                _kind(one),
                one.get("description", ""),
            )
            for member, one in schema["properties"].items()
        )
        yield from _table(("Member", "Kind", "What it means"), rows)
        yield "</details>"


def _table(heads: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"
    for name, kind, words in rows:
        yield f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{escape(words)}</td></tr>"
    yield "</table>"


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in few words, as HTML."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(one)}</code>" for one in schema["enum"])
    types = schema.get("type", "anything")
    words = escape(" or ".join(types) if isinstance(types, list) else types)
    if schema.get("items"):
        words += f" of {_kind(schema['items'])}"
    if schema.get("properties") and "data" in schema["properties"]:
        words = f"page of {_kind(schema['properties']['data']['items'])}"
    limits = (
        ("format", ""),
        ("minLength", "at least "),
        ("maxLength", "at most "),
        ("minimum", "from "),
        ("maximum", "to "),
        ("maxItems", "at most "),
    )
    said = [before + str(schema[name]) for name, before in limits if name in schema]
    if "default" in schema:
        said.append(f"default {json.dumps(schema['default'])}")
    return words + (f' <span class="dim">({escape(", ".join(said))})</span>' if said else "")

"""Speaks the Model Context Protocol through its official SDK and prints what it saw as JSON.

Run by the tests with a target and what to do there, both as JSON. A target has `url` and `key`, and may have `host`; or it has
`command` and may have `env`. `mode` is `legacy` for the handshake of before 2026-07-28. What to do is a list of `["call", tool,
arguments]` and `["read", uri]`. Results are validated by the SDK against the schemas that the tools announce.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

TARGET, DEEDS = (json.loads(argument) for argument in sys.argv[1:3])


def over_http():
    headers = {"X-API-Key": TARGET["key"]}
    if "host" in TARGET:
        headers["Host"] = TARGET["host"]
    return streamable_http_client(TARGET["url"], http_client=httpx2.AsyncClient(headers=headers, timeout=60))


def over_pipes():
    command, *arguments = TARGET["command"]
    return StdioServerParameters(command=command, args=arguments, env=TARGET.get("env"))


async def done(client, deed):
    try:
        if deed[0] == "read":
            read = await client.read_resource(deed[1])
            return {"text": read.contents[0].text}
        result = await client.call_tool(deed[1], deed[2])
        return {"error": result.is_error, "structured": result.structured_content, "text": result.content[0].text}
    except MCPError as error:
        return {"refused": str(error)}


async def main():
    target = over_http() if "url" in TARGET else over_pipes()
    async with Client(target, mode=TARGET.get("mode", "auto"), read_timeout_seconds=60) as client:
        tools = (await client.list_tools()).tools
        templates = (await client.list_resource_templates()).resource_templates
        return {
            "protocol": client.protocol_version,
            "server": client.server_info.name,
            "tools": [tool.name for tool in tools],
            "changing": [tool.name for tool in tools if not tool.annotations.read_only_hint],
            "templates": [template.uri_template for template in templates],
            "results": [await done(client, deed) for deed in DEEDS],
        }


try:
    report = asyncio.run(main())
except* (MCPError, httpx2.HTTPError, OSError) as errors:
    report = {"refused": "; ".join(repr(error) for error in errors.exceptions)}
print(json.dumps(report))

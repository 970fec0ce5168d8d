"""Records what the official Python client sends, into python-requests.json.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install openai pydantic
    /tmp/venv/bin/python tests/conformance/record-python.py

The server here answers just enough for each call to go on. What differs from machine to machine is made the same.
"""

import json
import pathlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pydantic

recorded: list[dict] = []
current = {"name": ""}

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def completion(message: dict, reason: str) -> dict:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "logprobs": None, "finish_reason": reason}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def chunk(delta: dict, reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.record(None)
        self.answer("application/json", json.dumps({"object": "list", "data": []}))

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        self.record(text)
        body = json.loads(text)
        if body.get("stream"):
            words = chunk({"role": "assistant", "content": "{}"}, None) + chunk({}, "stop") + "data: [DONE]\n\n"
            return self.answer("text/event-stream", words)
        self.answer("application/json", json.dumps(completion({"content": '{"answer": "x"}'}, "stop")))

    def record(self, body: str | None) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        for name in ("host", "content-length", "authorization"):
            headers.pop(name, None)
        recorded.append({"name": current["name"], "method": self.command, "path": self.path, "headers": headers, "body": body})

    def answer(self, kind: str, body: str) -> None:
        data = body.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Answer(pydantic.BaseModel):
    answer: str
    note: str | None = None


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"id": "call_abc", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Graz"}'}}
HI = [{"role": "user", "content": "Grüße 😀\u2028"}]
MODEL = "claude-sonnet-5"


def calls(client: openai.OpenAI) -> dict:
    chat = client.chat.completions
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}}
    returned = openai.types.chat.ChatCompletion.model_validate(completion({"content": None, "tool_calls": [CALL]}, "tool_calls"))
    return {
        "plain": lambda: chat.create(model=MODEL, messages=HI),
        "explicit nulls": lambda: chat.create(
            model=MODEL, messages=HI, max_tokens=None, temperature=None, stop=None, n=None, seed=None, logprobs=None, metadata=None, stream=False
        ),
        "parameters": lambda: chat.create(
            model=MODEL,
            messages=[{"role": "developer", "content": "Be brief."}, *HI],
            max_completion_tokens=64,
            temperature=0.2,
            top_p=0.9,
            stop=["END"],
            seed=7,
            user="user-1",
            n=1,
            metadata={"job": "1"},
            store=False,
            reasoning_effort="low",
        ),
        "streaming": lambda: list(chat.create(model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True})),
        "stream helper": lambda: stream_to_end(chat.stream(model=MODEL, messages=HI)),
        "tools": lambda: chat.create(model=MODEL, messages=HI, tools=[WEATHER], tool_choice="auto", parallel_tool_calls=False),
        "tool result, message given back as it came": lambda: chat.create(
            model=MODEL,
            messages=[*HI, returned.choices[0].message, {"role": "tool", "tool_call_id": "call_abc", "content": "7 degrees"}],
            tools=[WEATHER],
        ),
        "pictures": lambda: chat.create(model=MODEL, messages=[{"role": "user", "content": [{"type": "text", "text": "What?"}, picture]}]),
        "parse with a pydantic model": lambda: chat.parse(model=MODEL, messages=HI, response_format=Answer),
        "parse with a pydantic tool": lambda: chat.parse(model=MODEL, messages=HI, tools=[openai.pydantic_function_tool(Answer)]),
        "json object": lambda: chat.create(model=MODEL, messages=HI, response_format={"type": "json_object"}),
        "extra body and headers": lambda: chat.create(
            model=MODEL, messages=HI, extra_body={"top_k": 5}, extra_headers={"x-session-id": ""}, timeout=30
        ),
        "raw response": lambda: chat.with_raw_response.create(model=MODEL, messages=HI).parse(),
        "models": lambda: client.models.list(),
    }


def stream_to_end(manager: object) -> None:
    with manager as stream:
        for _event in stream:
            pass


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = openai.OpenAI(api_key="adp_live_recorded", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=0)
    for name, call in calls(client).items():
        current["name"] = name
        call()
    out = pathlib.Path(__file__).with_name("python-requests.json")
    out.write_text(json.dumps({"client": f"openai-python {openai.__version__}", "requests": recorded}, indent=2, ensure_ascii=True) + "\n")


main()

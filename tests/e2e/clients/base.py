"""What a client's answer says, and the question that a Chat is made for."""

from dataclasses import dataclass, field

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "title": "person",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TOOL = "get_weather"
ABOUT_TOOL = "The weather in a city."


@dataclass
class Got:
    """`stop` is end, length, tool, refusal or other; `calls` are (id, name, arguments as an object)."""

    text: str = ""
    thinking: str = ""
    calls: list = field(default_factory=list)
    stop: str = ""
    tokens: tuple = ()

    @property
    def cities(self):
        return [call[2].get("city") for call in self.calls]


@dataclass
class Ask:
    """What stays the same in a conversation. `limit` is of output tokens, `schema` of the answer."""

    tools: bool = False
    thinking: bool = False
    system: str | None = None
    schema: dict | None = None
    limit: int = 8000


class Chat:
    """A conversation; `model` may be changed between the turns. `DIALECT` is the upstream of --direct."""

    DIALECT = ""
    ERRORS = {}  # status -> name of the exception's class
    STOPS = {}

    def __init__(self, stack, model, ask=None, stream=False, retries=0):
        self.stack = stack
        self.model = model
        self.ask = ask or Ask()
        self.stream = stream
        self.history = []
        self.client = self.connect(stack, retries)

    def say(self, text, image=None):
        """Asks as the user; `image` is a PNG in base64."""
        self.add_user(text, image)
        return self.turn()

    def answer(self, got, results):
        """Gives the results of the calls of `got`, in their order, and asks on."""
        self.add_results(got.calls, results)
        return self.turn()

    def stop_of(self, name):
        return self.STOPS.get(name, f"other: {name}")

    def close(self):
        """Lets go of connections."""

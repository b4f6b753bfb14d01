"""`Step`: one reusable call to a service, with its policy and its undo. Owned by the team that owns the service."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictFloat, StrictInt, StringConstraints

from flow_operator.api.duration import Duration
from flow_operator.api.meta import Model, simple
from flow_operator.api.rules import Rule, RuledModel

Expression = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096),
    simple("expression", "CEL that gives true or false. See [Expressions](#expressions)."),
]
Template = Annotated[
    Any, simple("template", "Any JSON; every `${…}` in its strings is CEL. See [Expressions](#expressions).")
]

CODE_PATTERN = r"^[1-5]([0-9]{2}|xx)$"
Code = (
    Annotated[StrictInt, Field(ge=100, le=599)] | Annotated[str, StringConstraints(pattern=CODE_PATTERN, max_length=3)]
)
Codes = Annotated[
    tuple[Annotated[Code, simple("code", "An HTTP status code such as `200`, or a class of them such as `2xx`.")], ...],
    Field(max_length=64),
]

DEFAULT_PORT = 80
URL_PATTERN = r"^https?://|\$\{"
SERVICE_PATTERN = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"
METHOD_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$"
Url = Annotated[
    str,
    StringConstraints(pattern=URL_PATTERN, max_length=2048),
    simple("URL", "An absolute `http` or `https` URL, or a template of one."),
]
ServiceName = Annotated[
    str,
    StringConstraints(pattern=SERVICE_PATTERN, max_length=63),
    simple("service name", "The name of a Service."),
]
ServiceMethod = Annotated[
    str,
    StringConstraints(pattern=METHOD_PATTERN, max_length=253),
    simple("service method", "What is called of a Service; a path below its address."),
]

HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
BODILESS_METHODS = frozenset({"GET", "HEAD", "DELETE"})

HEADER_NAME_PATTERN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
HeaderName = Annotated[
    str,
    StringConstraints(pattern=HEADER_NAME_PATTERN, max_length=128),
    simple("header name", "The name of an HTTP header. Case does not matter."),
]
HeaderValue = Annotated[
    str, StringConstraints(max_length=8192), simple("header value", "The value of an HTTP header, without CR and LF.")
]
HeaderMap = Annotated[dict[str, HeaderValue], Field(max_length=64)]


class Header(Model):
    """A header of the request."""

    name: HeaderName = Field(description="Name of the header. Case does not matter.")
    value: HeaderValue = Field(description="Value of the header; a template.")


class Endpoint(RuledModel):
    """Where a call goes: exactly one of `url` and `service` (with `method`)."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.url) != has(self.service)",
            "exactly one of url and service must be given",
            lambda endpoint: (endpoint.url is None) != (endpoint.service is None),
        ),
        Rule(
            "has(self.service) == has(self.method)",
            "service and method go together",
            lambda endpoint: (endpoint.service is None) == (endpoint.method is None),
            field=".method",
        ),
        Rule(
            "!has(self.service) || self.httpMethod == 'POST'",
            "httpMethod goes with url; a service is always called by POST",
            lambda endpoint: endpoint.service is None or endpoint.http_method == "POST",
            field=".httpMethod",
        ),
        Rule(
            "!has(self.url) || self.port == 80",
            "port goes with service; write it into the url",
            lambda endpoint: endpoint.url is None or endpoint.port == DEFAULT_PORT,
            field=".port",
        ),
    )

    url: Url | None = Field(None, description="Absolute http or https URL; a template.")
    http_method: HttpMethod = Field("POST", description="HTTP method of a `url`. GET, HEAD and DELETE send no body.")
    service: ServiceName | None = Field(
        None,
        description="Name of a Service in the run's namespace. The call is "
        "`POST http://<service>.<namespace>.svc:<port>/<method>`.",
    )
    method: ServiceMethod | None = Field(
        None, description="Method of the service, for example `Payments.Charge` or `orders.v1.Orders/Reserve`."
    )
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = Field(DEFAULT_PORT, description="Port of the service.")
    header: Annotated[tuple[Header, ...], Field(max_length=64)] = Field(
        (), description="Headers of every request to this endpoint. They win over `input.header` and the run's header."
    )


class Timeout(Model):
    """How long a step may take."""

    connect: Duration = Field(
        "5s", description="Time to connect, with name resolution and TLS. Passing: Retry, effect None."
    )
    request: Duration = Field("30s", description="Time for one attempt. Passing: Retry, effect Unknown.")
    total: Duration | None = Field(
        None,
        description="Time for the step with all its retries, from its start. Passing: Failure, StepTimeout. "
        "Stands still while the run is suspended.",
    )


class CompensateTimeout(Model):
    """How long one attempt of an undo may take."""

    connect: Duration = Field("5s", description="Time to connect, with name resolution and TLS.")
    request: Duration = Field("30s", description="Time for one attempt.")


RetryLimit = Annotated[StrictInt, Field(ge=-1, le=1_000_000)]


class Backoff(Model):
    """Pause before retry n: min(cap, duration * factor^(n-1)), then plus or minus jitter."""

    duration: Duration = Field("1s", description="Pause before the first retry.")
    factor: Annotated[StrictFloat, Field(ge=1, le=100)] = Field(
        2.0, description="What each further pause is multiplied by."
    )
    cap: Duration = Field("1m", description="The longest pause.")
    jitter: Annotated[StrictFloat, Field(ge=0, le=1)] = Field(
        0.5, description="Part of the pause by which it may be longer or shorter, at random."
    )


class Retry(Model):
    """How often, and how soon, a call is tried again."""

    limit: RetryLimit = Field(3, description="Retries after the first attempt: 0 is none, -1 is without limit.")
    backoff: Backoff | None = Field(None, description="Pauses between attempts.")


class CompensateBackoff(Backoff):
    """Pause before retry n of an undo."""

    duration: Duration = Field("5s", description="Pause before the first retry.")
    cap: Duration = Field("10m", description="The longest pause.")


class CompensateRetry(Model):
    """How often, and how soon, an undo is tried again before it parks for a person."""

    limit: RetryLimit = Field(20, description="Retries after the first attempt: 0 is none, -1 is without limit.")
    backoff: CompensateBackoff | None = Field(None, description="Pauses between attempts.")


class Outcome(Model):
    """What an answer means. Evaluated in the order failWhen, retryWhen, successWhen, lists of codes."""

    success: Codes = Field(("2xx",), description="Codes that mean success: a number, or a class such as 2xx.")
    retry: Codes = Field((408, 425, 429, "5xx"), description="Codes that mean: try again. All others mean failure.")
    fail_when: Expression | None = Field(None, description="CEL, bool: true means Failure.")
    retry_when: Expression | None = Field(None, description="CEL, bool: true means Retry.")
    success_when: Expression | None = Field(None, description="CEL, bool: false on a success code means Failure.")
    failure_effect: Literal["None", "Unknown", "Applied"] = Field(
        "None", description="What a Failure by failWhen or successWhen on a 2xx has done at the service."
    )

    @property
    def has_expressions(self) -> bool:
        """Whether more than the code is looked at."""
        return (self.fail_when or self.retry_when or self.success_when) is not None


class Message(Model):
    """What a call is sent."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    header: HeaderMap | None = Field(None, description="Headers added to the run's; values are templates.")
    body: Template = Field(
        None,
        description="Body of the request, any JSON; a template. Absent or null: the default message "
        "(to send null write `${null}`).",
    )


class Compensate(Model):
    """How a step is undone."""

    endpoint: Endpoint = Field(description="Where the undo is sent.")
    input: Message | None = Field(
        None,
        description="What the undo is sent. It may read all that the step could, `steps.self` with request, response, "
        "effect and idempotencyKey, and `error`. Default: {request, response, effect} of the step.",
    )
    timeout: CompensateTimeout | None = Field(None, description="How long one attempt may take.")
    retry: CompensateRetry | None = Field(None, description="How often the undo is tried before it parks for a person.")


class StepSpec(Model):
    """One call to a service."""

    endpoint: Endpoint = Field(description="Where the call goes.")
    input: Message | None = Field(
        None,
        description="What the service is sent. Default: the run's input for a step that requires nothing; the output "
        "of the step it requires; an object of outputs by id if it requires several; the owner's input for a fallback.",
    )
    output: Template = Field(
        None,
        description="What the step passes on, any JSON; a template that may read `response`. "
        "Default: the body of the answer.",
    )
    timeout: Timeout | None = Field(None, description="How long the step may take.")
    retry: Retry | None = Field(None, description="How often, and how soon, the call is tried again.")
    outcome: Outcome | None = Field(None, description="What an answer means.")
    compensate: Compensate | None = Field(None, description="How the step is undone when the run fails or is aborted.")

"""`Step`: one reusable call to a service, with its policy and its undo. Owned by the team that owns the service."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from flow_operator.api.duration import Duration
from flow_operator.api.meta import Model

Expression = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Template = Any
"""Any JSON; each `${…}` in its strings is CEL."""

CODE_PATTERN = r"^[1-5]([0-9]{2}|xx)$"
Code = Annotated[int, Field(ge=100, le=599)] | Annotated[str, StringConstraints(pattern=CODE_PATTERN)]

HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
BODILESS_METHODS = frozenset({"GET", "HEAD", "DELETE"})

HEADER_NAME_PATTERN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
HeaderName = Annotated[str, StringConstraints(pattern=HEADER_NAME_PATTERN, min_length=1, max_length=128)]
HeaderValue = Annotated[str, StringConstraints(max_length=8192)]


class Header(Model):
    """A header of the request."""

    name: HeaderName = Field(description="Name of the header. Case does not matter.")
    value: HeaderValue = Field(description="Value of the header; a template.")


class Endpoint(Model):
    """Where a call goes: exactly one of `url` and `service` (with `method`)."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = Field(
        None, description="Absolute http or https URL; a template."
    )
    http_method: HttpMethod = Field("POST", description="HTTP method of a `url`. GET, HEAD and DELETE send no body.")
    service: Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")] | None = Field(
        None,
        description="Name of a Service in the run's namespace. The call is POST http://<service>.<namespace>.svc:<port>/<method>.",
    )
    method: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", max_length=253)] | None = Field(
        None, description="Method of the service, for example `Payments.Charge` or `orders.v1.Orders/Reserve`."
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(80, description="Port of the service.")
    header: Annotated[tuple[Header, ...], Field(max_length=64)] = Field(
        (), description="Headers of every request to this endpoint. They win over `input.header` and the run's header."
    )

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> Self:
        if (self.url is None) == (self.service is None):
            raise ValueError("exactly one of url and service must be given")
        if (self.service is None) != (self.method is None):
            raise ValueError("service and method go together")
        return self


class Timeout(Model):
    """How long a step may take."""

    connect: Duration = Field(
        "5s", description="Time to connect, with name resolution and TLS. Passing: Retry, effect None."
    )
    request: Duration = Field("30s", description="Time for one attempt. Passing: Retry, effect Unknown.")
    total: Duration | None = Field(
        None,
        description="Time for the step with all its retries, from its start. Passing: Failure, StepTimeout. Stands still while the run is suspended.",
    )


class CompensateTimeout(Model):
    """How long one attempt of an undo may take."""

    connect: Duration = Field("5s", description="Time to connect, with name resolution and TLS.")
    request: Duration = Field("30s", description="Time for one attempt.")


class Backoff(Model):
    """Pause before retry n: min(cap, duration * factor^(n-1)), then plus or minus jitter."""

    duration: Duration = Field("1s", description="Pause before the first retry.")
    factor: Annotated[float, Field(ge=1, le=100)] = Field(2, description="What each further pause is multiplied by.")
    cap: Duration = Field("1m", description="The longest pause.")
    jitter: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Part of the pause by which it may be longer or shorter, at random."
    )


class Retry(Model):
    """How often, and how soon, a call is tried again."""

    limit: Annotated[int, Field(ge=-1, le=1_000_000)] = Field(
        3, description="Retries after the first attempt: 0 is none, -1 is without limit."
    )
    backoff: Backoff | None = Field(None, description="Pauses between attempts.")


class CompensateBackoff(Backoff):
    """Pause before retry n of an undo."""

    duration: Duration = Field("5s", description="Pause before the first retry.")
    cap: Duration = Field("10m", description="The longest pause.")


class CompensateRetry(Model):
    """How often, and how soon, an undo is tried again before it parks for a person."""

    limit: Annotated[int, Field(ge=-1, le=1_000_000)] = Field(
        20, description="Retries after the first attempt: 0 is none, -1 is without limit."
    )
    backoff: CompensateBackoff | None = Field(None, description="Pauses between attempts.")


class Outcome(Model):
    """What an answer means. Evaluated in the order failWhen, retryWhen, successWhen, lists of codes."""

    success: Annotated[tuple[Code, ...], Field(max_length=64)] = Field(
        ("2xx",), description="Codes that mean success: a number, or a class such as 2xx."
    )
    retry: Annotated[tuple[Code, ...], Field(max_length=64)] = Field(
        (408, 425, 429, "5xx"), description="Codes that mean: try again. All others mean failure."
    )
    fail_when: Expression | None = Field(None, description="CEL, bool: true means Failure.")
    retry_when: Expression | None = Field(None, description="CEL, bool: true means Retry.")
    success_when: Expression | None = Field(None, description="CEL, bool: false on a success code means Failure.")
    failure_effect: Literal["None", "Unknown", "Applied"] = Field(
        "None", description="What a Failure by failWhen or successWhen on a 2xx has done at the service."
    )


class Message(Model):
    """What a call is sent."""

    header: Annotated[dict[str, HeaderValue], Field(max_length=64)] | None = Field(
        None, description="Headers added to the run's; values are templates."
    )
    body: Template = Field(
        None,
        description="Body of the request; a template. Absent or null: the default message (to send null write `${null}`).",
    )


class Compensate(Model):
    """How a step is undone."""

    endpoint: Endpoint = Field(description="Where the undo is sent.")
    input: Message | None = Field(
        None,
        description="What the undo is sent. It may read all that the step could, and `steps.self` with request, response, effect and idempotencyKey, and `error`. Default: {request, response, effect} of the step.",
    )
    timeout: CompensateTimeout | None = Field(None, description="How long one attempt may take.")
    retry: CompensateRetry | None = Field(None, description="How often the undo is tried before it parks for a person.")


class StepSpec(Model):
    """One call to a service."""

    endpoint: Endpoint = Field(description="Where the call goes.")
    input: Message | None = Field(
        None,
        description="What the service is sent. Default: the run's input for a step that requires nothing; the output of the step it requires; an object of outputs by id if it requires several; the owner's input for a fallback.",
    )
    output: Template = Field(
        None,
        description="What the step passes on; a template that may read `response`. Default: the body of the answer.",
    )
    timeout: Timeout | None = Field(None, description="How long the step may take.")
    retry: Retry | None = Field(None, description="How often, and how soon, the call is tried again.")
    outcome: Outcome | None = Field(None, description="What an answer means.")
    compensate: Compensate | None = Field(None, description="How the step is undone when the run fails or is aborted.")

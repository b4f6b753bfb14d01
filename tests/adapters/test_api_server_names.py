"""Every name and address under which the API server could be called."""

from flow_operator.adapters import addresses
from flow_operator.adapters.api_server_names import known_as


async def test_the_names_of_its_service_and_the_addresses_of_its_host() -> None:
    found = await known_as("https://localhost:6443", {"KUBERNETES_SERVICE_HOST": "10.96.0.1"})
    assert {"kubernetes.default.svc", "localhost"} <= found.names
    assert found.has_singly(addresses.parse("10.96.0.1"))
    assert found.has_singly(addresses.parse("127.0.0.1")) or found.has_singly(addresses.parse("::1"))


async def test_a_name_without_an_address_is_a_name_all_the_same() -> None:
    found = await known_as("https://nowhere.invalid", {})
    assert "nowhere.invalid" in found.names
    assert found.networks == ()

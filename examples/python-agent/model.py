"""The model of the example: it plays the part of a provider's model, offline and always the same way.

`agent.py` gives it to pydantic-ai, which cannot tell it from a real one. It asks for tools, gets one order id
wrong, reads the tool's complaint, corrects itself and answers.
"""

from __future__ import annotations

from pydantic_ai import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """The next step: decided, as a model's is, by the conversation so far."""
    returned = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
    results = {part.tool_name: part.content for part in returned if part.outcome == "success"}
    if not returned:
        return ModelResponse([ToolCallPart("look_up_order", {"order_id": "1007"})])
    if "look_up_order" not in results:
        return ModelResponse([ToolCallPart("look_up_order", {"order_id": "A-1007"})])
    order = results["look_up_order"]
    if "track_parcel" not in results:
        track = ToolCallPart("track_parcel", {"order_id": "A-1007"})
        policy = ToolCallPart("refund_policy", {"amount": order["price"]})
        return ModelResponse([track, policy])
    text = f"Your {order['item']}: {results['track_parcel']}. {results['refund_policy']}"
    return ModelResponse([TextPart(text)])


support_model = FunctionModel(answer, model_name="offline-support")

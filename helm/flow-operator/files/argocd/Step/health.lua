-- Health of a Step: Healthy once runs can use it, Degraded when it has findings.
local health = { status = "Progressing", message = "the operator has not seen it yet" }
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(obj.status.conditions or {}) do
  if condition.type == "Ready" and health.status ~= "Degraded" then
    if condition.status == "True" then
      health.status = "Healthy"
    end
    health.message = condition.message or condition.reason
  end
  if condition.type == "Stalled" and condition.status == "True" then
    health.status = "Degraded"
    health.message = condition.message or condition.reason
  end
end
return health

-- Health of a run: Healthy after Success, Degraded when it needs a decision or has ended otherwise, Suspended while a
-- command or spec.suspend suspends it.
local health = { status = "Progressing", message = "the operator has not seen it yet" }
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
local met = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" then
    met[condition.type] = condition
  end
end
if met.Stalled ~= nil then
  health.status = "Degraded"
  health.message = met.Stalled.message or met.Stalled.reason
elseif met.Suspended ~= nil then
  health.status = "Suspended"
  health.message = met.Suspended.message or met.Suspended.reason
elseif status.phase == "Success" and status.completionTime ~= nil then
  health.status = "Healthy"
  health.message = status.message or status.reason
else
  health.message = status.message or status.reason
end
if status.progress ~= nil then
  health.message = (health.message or status.phase) .. " (" .. status.progress .. ")"
end
return health

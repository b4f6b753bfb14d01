-- The actions that are possible for a run now. The operator rejects any other in status.lastCommand.
local status = obj.status or {}
local ended = status.completionTime ~= nil

local suspendedBy = nil
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Suspended" and condition.status == "True" then
    suspendedBy = condition.reason
  end
end
local held = suspendedBy == "SuspendedByCommand"

local waiting, changed = false, false
for _, step in ipairs(status.steps or {}) do
  for _, call in ipairs({ step, step.compensation or {} }) do
    if call.phase == "Suspend" then
      waiting = true
      changed = changed or call.reason == "RequestChanged"
    end
  end
end

return {
  suspend = { disabled = ended or held, iconClass = "fa fa-fw fa-pause", displayName = "Suspend" },
  resume = {
    disabled = ended or not held or obj.spec.suspend == true,
    iconClass = "fa fa-fw fa-play",
    displayName = "Resume",
  },
  abort = {
    -- Once a run is being undone, only `kubectl flow abort --no-compensate` is left, which should be typed deliberately.
    disabled = ended or (status.compensation or {}).phase ~= nil or status.reason == "RevisionNotFound",
    iconClass = "fa fa-fw fa-stop",
    displayName = "Abort and undo",
  },
  retry = {
    disabled = ended or not waiting or changed,
    iconClass = "fa fa-fw fa-redo",
    displayName = "Retry parked steps",
  },
}

local annotations = obj.metadata.annotations or {}
annotations["flow.unistack.org/command"] = "retry"
annotations["flow.unistack.org/command-args"] = nil
-- The same click on the same state is the same command: it acts once.
annotations["flow.unistack.org/command-id"] = "retry-" .. obj.metadata.resourceVersion
obj.metadata.annotations = annotations
-- Lua loses nulls and digits of large integers, and Argo CD patches whatever differs. Of what comes back empty it keeps
-- the original: so spec and status are left exactly as they are.
obj.spec = {}
if obj.status ~= nil then
  obj.status = {}
end
return obj

-- Sends the requests given as arguments of the form "GET /products" in turn, and prints the result as one line of JSON.
local requests = {}
local at = 0

function init(arguments)
  for _, line in ipairs(arguments) do
    local method, path = line:match("^(%S+) (%S+)$")
    requests[#requests + 1] = wrk.format(method, path)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('{"requests":%d,"failed":%d}\n', summary.requests, failed))
end

-- wrk: sends complete requests out of a file, in turns (wrk … -- FILE), and says at the end what Estat.Bench reads (Load/Wrk.cs).
-- The file: before each request, its length as eight digits (Load/RequestFile.cs).
local requests, count, at = {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local length = file:read(8)
    if not length then break end
    count = count + 1
    requests[count] = file:read(tonumber(length))
  end
  file:close()
  math.randomseed(os.time())
  at = math.random(count)
end

function request()
  at = at + 1
  if at > count then at = 1 end
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("measured requests=%d us=%d non_2xx=%d lost=%d p50=%d p99=%d p999=%d\n", summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end

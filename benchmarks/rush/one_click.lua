-- One-click POSTs (RFC 8058) for wrk: each thread posts the tokens of a file of its own, each of them once.
-- wrk ... -s rush.lua http://HOST -- FOLDER   reads FOLDER/1, FOLDER/2, ... and tells its figures in one line.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

function init(arguments)
  tokens, given, good, bad = {}, 0, 0, 0
  for line in io.lines(arguments[1] .. "/" .. number) do
    table.insert(tokens, line)
  end
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
end

function request()
  given = given + 1
  if given > #tokens then
    wrk.thread:stop()
  end
  return wrk.format("POST", "/u/" .. (tokens[given] or "spent"), nil, "List-Unsubscribe=One-Click")
end

function response(status)
  if status == 200 then
    good = good + 1
  else
    bad = bad + 1
  end
end

function done(summary, latency)
  local good, bad, errors = 0, 0, summary.errors
  for _, thread in ipairs(threads) do
    good, bad = good + thread:get("good"), bad + thread:get("bad")
  end
  io.write(string.format('{"good": %d, "bad": %d, "broken": %d, "seconds": %.3f, "median": %.4f, "late": %.4f}\n', good,
    bad, errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end

-- wrk: POST /collect/batch, 500 events of about 500 bytes a request. 64 bodies that differ, made once: making one costs more than a server takes for it.
math.randomseed(os.time())
local line = 0
local function event()
  line = line + 1
  return string.format('{"event_id":"%08x-%04x-%08x","session":"s_%x","type":"page_view","url":"https://shop.example.com/products/%d","referrer":"https://www.google.com/search?q=%x","title":"상품 상세 페이지 %d — 오늘의 특가","price":%d.%02d,"ts":%d,"user":{"id":%d,"tier":"gold","age":%d},"viewport":{"w":%d,"h":%d},"tags":["봄","세일","new"],"ab":"%s","trace":"%08x%08x"}',
    math.random(0,2^31-1), line % 65536, math.random(0,2^31-1), math.random(0,2^31-1), math.random(1,1e6), math.random(0,2^31-1), math.random(1,1e5),
    math.random(1,900), math.random(0,99), 1700000000 + line, math.random(1,1e7), math.random(18,80), math.random(320,2560), math.random(500,1600),
    (line % 2 == 0) and "A" or "B", math.random(0,2^31-1), math.random(0,2^31-1))
end

local requests = {}
function init()
  for i = 1, 64 do
    local lines = {}
    for j = 1, 500 do lines[j] = event() end
    requests[i] = wrk.format("POST", "/collect/batch", {["Content-Type"] = "application/x-ndjson"}, table.concat(lines, "\n"))
  end
end

local n = 0
function request()
  n = n + 1
  return requests[n % 64 + 1]
end

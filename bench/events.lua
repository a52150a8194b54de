-- wrk: POST /collect with bodies of about 500 bytes that all differ and look real.
math.randomseed(os.time())
local n=0
local pages={"/products/","/cart?item=","/search?q=%ED%95%9C%EA%B5%AD&page=","/article/","/checkout/step/"}
function request()
  n=n+1
  local body=string.format('{"event_id":"%08x-%04x-%08x","session":"s_%x","type":"page_view","url":"https://shop.example.com%s%d","referrer":"https://www.google.com/search?q=%x","title":"상품 상세 페이지 %d — 오늘의 특가","price":%d.%02d,"ts":%d,"user":{"id":%d,"tier":"gold","age":%d},"viewport":{"w":%d,"h":%d},"tags":["봄","세일","new"],"ab":"%s","trace":"%08x%08x"}',
   math.random(0,2^31-1),n%65536,math.random(0,2^31-1),math.random(0,2^31-1),pages[n%5+1],math.random(1,1e6),math.random(0,2^31-1),math.random(1,1e5),math.random(1,900),math.random(0,99),1700000000+n,math.random(1,1e7),math.random(18,80),math.random(320,2560),math.random(500,1600),(n%2==0) and "A" or "B",math.random(0,2^31-1),math.random(0,2^31-1))
  return wrk.format("POST","/collect",{["Content-Type"]="application/json",["User-Agent"]="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120 Safari/537.36"},body)
end

local w, h = 20, 8
local grid = {}
for y = 1, h do grid[y] = {} for x = 1, w do grid[y][x] = (x * 7 + y * 13) % 5 == 0 and 1 or 0 end end
for _ = 1, 10 do
  local new = {}
  for y = 1, h do new[y] = {} for x = 1, w do
    local n = 0
    for dy = -1, 1 do for dx = -1, 1 do if dx ~= 0 or dy ~= 0 then n = n + grid[(y + dy - 1) % h + 1][(x + dx - 1) % w + 1] end end end
    new[y][x] = (n == 3 or (n == 2 and grid[y][x] == 1)) and 1 or 0
  end end
  grid = new
end
for y = 1, h do local s = "" for x = 1, w do s = s .. (grid[y][x] == 1 and "#" or ".") end print(s) end

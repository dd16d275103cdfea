import json, re
data = [{"id": i, "name": f"user{i}", "tags": ["a", "b", str(i)], "score": i / 7} for i in range(3000)]
total = 0
for _ in range(24):
    text = json.dumps(data)
    total += len(text) + len(json.loads(text))
    total += len(re.findall(r'"name": "user(\d+)"', text)) + len(re.sub(r"\d+", "#", text))
print(total)

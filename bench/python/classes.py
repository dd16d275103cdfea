from dataclasses import dataclass
from collections import deque
@dataclass
class Task:
    name: str
    cost: int
    done: bool = False
class Scheduler:
    def __init__(self):
        self.queue = deque()
        self.log = {}
    def add(self, task):
        self.queue.append(task)
    def run(self):
        while self.queue:
            task = self.queue.popleft()
            task.cost -= 1
            self.log.setdefault(task.name, []).append(task.cost)
            if task.cost > 0:
                self.queue.append(task)
            else:
                task.done = True
scheduler = Scheduler()
for i in range(24000):
    scheduler.add(Task(f"task{i % 97}", 1 + (i * 7919) % 53))
scheduler.run()
print(sum(len(v) for v in scheduler.log.values()), sorted(scheduler.log)[:3])

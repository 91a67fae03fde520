# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""One job of a kind at a time, and a share for each owner."""

import functools
import threading
import time

from snapshot_dashboard.worker import workqueue


def test_a_job_is_in_one_hand_only_and_again_after_its_delay():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    hands, most, times = [], [], []

    def job():
        hands.append(1)
        most.append(len(hands))
        threading.Event().wait(0.01)
        hands.pop()
        times.append(time.monotonic())
        if len(times) == 5:
            stop.set()
        return 0.02

    queue.add('key', job)
    queue.add('key', job)
    queue.work(stop, 4)
    assert set(most) == {1}
    assert all(later - earlier >= 0.02
               for earlier, later in zip(times, times[1:]))


def test_a_job_that_is_added_while_the_old_one_ends_is_done():
    queue, stop = workqueue.WorkQueue(), threading.Event()

    def old():
        queue.add('key', stop.set)

    queue.add('key', old)
    timer = threading.Timer(5, stop.set)
    timer.start()
    queue.work(stop, 2)
    assert timer.is_alive()  # it was the job that ended it
    timer.cancel()


def test_what_is_late_for_want_of_threads_is_counted_and_dropped_at_the_end():
    late, done, stop = [], [], threading.Event()
    queue = workqueue.WorkQueue(lambda seconds, by_share: late.append(seconds))

    def slow(number):
        time.sleep(0.1)
        done.append(number)
        if len(done) == 3:
            stop.set()
            queue.wake()

    for number in range(10):
        queue.add(number, functools.partial(slow, number))
    queue.work(stop, 1)
    assert max(late) > 0.15
    assert len(done) < 5


def test_who_waits_for_its_own_share_is_counted_apart():
    begun, stop, full = [], threading.Event(), threading.Event()
    queue = workqueue.WorkQueue(
        lambda seconds, by_share: begun.append(by_share))

    def job():
        if len(begun) >= 4:  # all threads have something
            full.set()
        full.wait(10)
        if len(begun) == 8:
            stop.set()
            queue.wake()
    for number in range(6):
        queue.add(number, job, owner='busy')
    for number in range(2):
        queue.add(f'other-{number}', job, owner='other')
    queue.work(stop, 4)
    assert begun == 4 * [False] + 4 * [True]


def test_one_owners_endless_jobs_leave_threads_for_the_others():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    over = threading.Event()
    begun, seen = [], []

    def endless():
        begun.append(1)
        over.wait(10)

    def brief():
        if len(begun) < 2:
            return 0.01
        seen.append(len(begun))
        stop.set()
        over.set()
        return None

    for number in range(20):
        queue.add(number, endless, owner='hostile')
    queue.add('brief', brief, owner='victim')
    queue.work(stop, 4)
    assert seen == [2]  # as many as may be were in hand, and no more


def test_the_next_job_is_of_the_owner_who_has_the_fewest_in_hand():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    over = threading.Event()
    done, first = [], threading.Event()

    def job(owner):
        done.append(owner)
        if len(done) == 2:  # all threads have something
            queue.add('victim', victim, owner='victim')
            first.set()
        (over if len(done) < 2 else first).wait(10)

    def victim():
        done.append('victim')
        over.set()
        stop.set()

    for number in range(9):
        for owner in ('one', 'two'):
            queue.add((owner, number), functools.partial(job, owner),
                       owner=owner)
    queue.work(stop, 2)
    assert done.index('victim') <= 3


def test_jobs_that_are_dropped_while_they_wait_take_nobodys_turn():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    over = threading.Event()
    begun = []

    def endless():
        begun.append(1)
        if len(begun) == 2:
            for number in range(8):
                queue.drop(f'waits-{number}')
            queue.add('power on', stop.set, owner='p')
            over.set()
        over.wait(10)

    for number in range(2):
        queue.add(number, endless, owner='p')
    for number in range(8):
        queue.add(f'waits-{number}', functools.partial(begun.append, 'no'),
                   owner='p')
    timer = threading.Timer(5, lambda: (stop.set(), queue.wake()))
    timer.start()
    queue.work(stop, 4)
    assert timer.is_alive() and 'no' not in begun
    timer.cancel()


def test_what_waited_for_its_owners_share_is_done_in_turn():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []

    def job(number):
        done.append(number)
        if len(done) == 20:
            stop.set()
    for number in range(20):
        queue.add(number, functools.partial(job, number), owner='one')
    queue.work(stop, 2)
    assert done == list(range(20)) and len(queue._jobs) == 0


def test_what_is_hastened_is_done_at_once_once_and_before_what_waits():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []

    def job(name):
        done.append(name)
        if len(done) == 1:
            queue.hasten('hastened', urgent=True)
            queue.hasten('hastened', urgent=True)
            queue.hasten('unknown', urgent=True)
        if len(done) == 4:
            stop.set()
        return 600 if name == 'hastened' else None

    queue.add('hastened', functools.partial(job, 'hastened'), 600, 'mine')
    for number in range(3):
        queue.add(number, functools.partial(job, number), owner='mine')
    queue.work(stop, 1)
    assert done == [0, 'hastened', 1, 2]


def test_what_is_hastened_takes_no_thread_that_is_others_share():
    queue, stop, over = (workqueue.WorkQueue(), threading.Event(),
                         threading.Event())
    begun, other = [], threading.Event()

    def mine(number):
        begun.append(number)
        over.wait(10)

    def others():
        other.set()
        over.set()
        stop.set()

    for number in range(4):
        queue.add(number, functools.partial(mine, number), 600, 'mine')
        queue.hasten(number, urgent=True)
    queue.add('theirs', others, owner='theirs')
    queue.work(stop, 2)
    assert other.is_set() and begun[:1] == [0]


def test_many_owners_urgent_jobs_leave_turns_for_the_others():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []

    def job(name):
        done.append(name)
        if len(done) == 200:
            stop.set()
        return 0

    for number in range(40):
        queue.add(('list', number), functools.partial(job, 'list'),
                  owner=f'project-{number}', urgent=True)
    queue.add('trusts', functools.partial(job, 'trusts'))
    queue.work(stop, 1)
    assert done.count('trusts') >= 3


def test_what_is_due_keeps_its_place_when_it_is_hastened():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []

    def job(name):
        done.append(name)
        queue.hasten('second')
        if len(done) == 4:
            stop.set()

    for name in ('first', 'second', 'third', 'fourth'):
        queue.add(name, functools.partial(job, name), owner='mine')
    queue.work(stop, 1)
    assert done == ['first', 'second', 'third', 'fourth']


def test_what_is_urgent_comes_first_each_time():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []

    def job(name):
        done.append(name)
        if len(done) == 6:
            stop.set()
        return 0

    queue.add('other', functools.partial(job, 'other'), owner='mine')
    queue.add('urgent', functools.partial(job, 'urgent'), owner='mine',
              urgent=True)
    queue.work(stop, 1)
    assert done == ['urgent'] * 6


def test_what_is_dropped_is_not_hastened():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []
    queue.add('dropped', lambda: done.append('dropped'), 600)
    queue.hasten('dropped', urgent=True)
    queue.drop('dropped')
    queue.add('last', stop.set)
    queue.work(stop, 1)
    assert not done


def test_a_fault_in_a_job_does_not_end_the_others(caplog):
    queue, stop = workqueue.WorkQueue(), threading.Event()

    def faulty():
        raise ZeroDivisionError

    queue.add('faulty', faulty)
    queue.add('good', stop.set, 0.05)
    queue.work(stop, 1)
    assert 'Unhandled error in job' in caplog.text
    assert len(queue._jobs) == 1

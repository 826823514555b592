"""Writes the files beside it: checkpoints as people's own programs write them. Usage: python3 make.py

Python's pickle alone is needed: the names of torch's that occur are made up here, as only names are written.
"""

import argparse
import collections
import datetime
import functools
import io
import pathlib
import pickle
import struct
import sys
import types


class Config:
    """Found in __main__, as classes of training scripts are."""

    def __init__(self, **values):
        self.__dict__.update(values)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a, self.b = 1, "two"


def fake(module, *names, kind=type):
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[: i + 1]), types.ModuleType(parts[i]))
    for name in names:
        made = type(name, (), {"__module__": module})
        if kind is not type:
            made = lambda *args: None
            made.__module__, made.__name__, made.__qualname__ = module, name, name
        setattr(sys.modules[module], name, made)


fake("torch", "FloatStorage")
fake("torch._utils", "_rebuild_tensor_v2", kind="function")
fake("torch.nn.modules.linear", "Linear")


class Call:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


class Storage:
    pass


class Pickler(pickle._Pickler):
    def persistent_id(self, value):
        return ("storage", sys.modules["torch"].FloatStorage, "0", "cpu", 3, None) if isinstance(value, Storage) else None


def beside():
    linear = sys.modules["torch.nn.modules.linear"].Linear()
    linear.in_features = 3
    config = Config(lr=0.001, betas=(0.9, 0.999), note="a\x1b[2Jb")
    return {
        "args": argparse.Namespace(lr=0.001, name="x", data=pathlib.PurePosixPath("/data/in")),
        "path": pathlib.PurePosixPath("/tmp/x"),
        "partial": functools.partial(len, "a"),
        "defaults": collections.defaultdict(list, {"a": [1]}),
        "counter": collections.Counter("aab"),
        "queue": collections.deque([1, 2]),
        "when": datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
        "z": 1 + 2j,
        "layer": linear,
        "config": config,
        "class": Config,
        "nested": {"list": [Config(n=2**70)], 3: "three"},
        "step": 5,
    }


def legacy(protocol):
    """torch.save(..., pickle_protocol=protocol, _use_new_zipfile_serialization=False) of {'a': torch.arange(3.)}"""
    out = io.BytesIO()
    tensor = Call(sys.modules["torch._utils"]._rebuild_tensor_v2, Storage(), 0, (3,), (1,), False, collections.OrderedDict())
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    for value in (0x1950A86A20F9469CFC6C, 1001, machine):
        pickle.dump(value, out, protocol=protocol)
    Pickler(out, protocol=protocol).dump({"a": tensor})
    pickle.dump(["0"], out, protocol=protocol)
    out.write(struct.pack("<q3f", 3, 0, 1, 2))
    return out.getvalue()


here = pathlib.Path(__file__).parent
for p in (0, 2, 4):
    state = beside()
    if p >= 2:
        state["slots"] = Slotted()
    (here / f"beside-{p}.pkl").write_bytes(pickle.dumps(state, protocol=p))
    if p > 0:
        (here / f"legacy-{p}.pt").write_bytes(legacy(p))

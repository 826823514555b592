# Sourced by the scripts beside it. Sets RDM_LIBTORCH to the LibTorch of Python's torch, unless it is set.

if [ -z "${RDM_LIBTORCH:-}" ]; then
  # Without importing torch, which takes seconds.
  found=$("${RDM_PYTHON:-python3}" -c '
import importlib.util, os
spec = importlib.util.find_spec("torch")
print(os.path.join(os.path.dirname(spec.origin), "lib") if spec and spec.origin else "")
' 2>/dev/null || :)
  if [ -z "$found" ]; then
    echo "rdm: no LibTorch: set RDM_LIBTORCH to the folder of one, or RDM_PYTHON to a Python that has torch" >&2
    exit 1
  fi
  RDM_LIBTORCH=$found
fi
export RDM_LIBTORCH

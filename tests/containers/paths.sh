# Where the real parts of the tests lie. Sourced, never run.
#
# Everything downloaded stays outside the repository, so that a clean checkout
# does not download it again. A variable that is set already wins.

PREFLIGHT_CACHE=${PREFLIGHT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gpu-preflight}

# jupyter-server from PyPI.
PREFLIGHT_TEST_JUPYTER=${PREFLIGHT_TEST_JUPYTER:-$PREFLIGHT_CACHE/jupyter/bin/jupyter-server}
# A Python with cyclonedx-python-lib, which holds the official schemas.
PREFLIGHT_TEST_CYCLONEDX=${PREFLIGHT_TEST_CYCLONEDX:-$PREFLIGHT_CACHE/cyclonedx/bin/python}
# A Python with the readers of JUnit, SARIF, Markdown and Prometheus, their schemas beside it, and what drives Chromium.
PREFLIGHT_TEST_FORMATS=${PREFLIGHT_TEST_FORMATS:-$PREFLIGHT_CACHE/formats/bin/python}
# OSV's export of PyPI.
PREFLIGHT_TEST_OSV=${PREFLIGHT_TEST_OSV:-$PREFLIGHT_CACHE/osv/PyPI/all.zip}
# A site-packages folder with NVIDIA's libcudart and libcublas wheels for CUDA 12.
PREFLIGHT_TEST_NVIDIA_WHEELS=${PREFLIGHT_TEST_NVIDIA_WHEELS:-$PREFLIGHT_CACHE/nvidia-wheels}
# Folders cudart11, cudart13 and cublas126, each with the wheel of another release, to mix with those.
PREFLIGHT_TEST_NVIDIA_OTHERS=${PREFLIGHT_TEST_NVIDIA_OTHERS:-$PREFLIGHT_CACHE/nvidia-others}
# A folder with libcuda.so.1 and libnvidia-ml.so.1 of Debian's non-free archive.
PREFLIGHT_TEST_NVIDIA_DRIVER=${PREFLIGHT_TEST_NVIDIA_DRIVER:-$PREFLIGHT_CACHE/nvidia-driver}
# A site-packages folder with PyTorch 2.7.0, as far as its version and its GPU code go.
PREFLIGHT_TEST_TORCH=${PREFLIGHT_TEST_TORCH:-$PREFLIGHT_CACHE/torch-2.7.0}
# Folders of packages, each with a framework or library as far as the loader reads it: torch (2.5.1 with its wheels),
# nvjitlink (12.1), cudnn (9.5), onnxruntime-gpu, onnxruntime, tensorflow, tensorflow-cpu, jax, ctranslate2-4, ctranslate2-3.
PREFLIGHT_TEST_LINKED=${PREFLIGHT_TEST_LINKED:-$PREFLIGHT_CACHE/linked}

export PREFLIGHT_CACHE PREFLIGHT_TEST_JUPYTER PREFLIGHT_TEST_NVIDIA_WHEELS PREFLIGHT_TEST_NVIDIA_DRIVER
export PREFLIGHT_TEST_CYCLONEDX PREFLIGHT_TEST_FORMATS PREFLIGHT_TEST_OSV PREFLIGHT_TEST_NVIDIA_OTHERS PREFLIGHT_TEST_TORCH PREFLIGHT_TEST_LINKED

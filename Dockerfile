# Two stages: wheels are built and installed in the first, the second holds only what runs.
#   docker build -t blind-judge .
#   docker run -p 127.0.0.1:8000:8000 -v "$PWD/my-study:/data" blind-judge
# Behind an https proxy say instead:  ... blind-judge serve /data/study.yaml --host 0.0.0.0 --public-url https://judge.example
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt hatch_build.py README.md LICENSE ./
COPY judge judge
COPY review_ui review_ui
COPY rubrics rubrics
RUN python -m venv /opt/judge \
    && /opt/judge/bin/pip install --no-cache-dir -c constraints.txt ".[postgres]"

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data judge \
    && mkdir /data && chown judge /data
COPY --from=build /opt/judge /opt/judge
ENV PATH=/opt/judge/bin:$PATH PYTHONUNBUFFERED=1 JUDGE_DB=/data/.judge/judge.db
USER judge
VOLUME /data
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["judge"]
# Plain HTTP, meant to be published on the host's loopback only, as in the line above.
CMD ["serve", "/data/study.yaml", "--host", "0.0.0.0", "--port", "8000", "--insecure-http"]

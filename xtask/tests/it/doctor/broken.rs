//! A server repository with the defects that are found in the wild, in small.

/// Its files.
pub const FILES: &[(&str, &str)] = &[
    ("VERSION", "0.3.0\n"),
    ("LICENSE", "MIT\n"),
    (
        "package.json",
        "{\n  \"name\": \"notebook\",\n  \"version\": \"0.0.1\",\n  \"engines\": { \"vscode\": \"^1.90.0\" }\n}\n",
    ),
    (
        "server/pyproject.toml",
        r#"[tool.poetry]
name = "notebook-server"
version = "0.3.0"
description = "Runs notebooks"
readme = "README.md"
packages = [{ include = "notebook_server" }]

[tool.poetry.dependencies]
python = "^3.10"
fastapi = "^0.128"
pydantic-settings = "^2"
kubernetes = "^31"

[tool.poetry.group.superpowers.dependencies]
duckdb = "^1"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"#,
    ),
    (
        "server/poetry.lock",
        r#"[[package]]
name = "jupyter-core"
version = "5.7.2"
optional = false
python-versions = ">=3.8"
groups = ["main"]
files = []

[package.extras]
docs = ["myst-parser"]

[package.extras]
adal = ["adal (>=1.0.2)"]

[metadata]
lock-version = "2.1"
python-versions = "^3.10"
content-hash = "0000000000000000000000000000000000000000000000000000000000000000"
"#,
    ),
    ("server/MANIFEST.in", "include src/*\n"),
    (
        "server/README.md",
        "# Notebooks\n\n![screen](media/screen.png)\n\npip install notebook-server[superpowers]\n",
    ),
    (
        "server/dist/notebook_server-0.2.0-py3-none-any.whl",
        "old\n",
    ),
    (
        "server/notebook_server/__init__.py",
        "__version__ = \"0.2.0\"\n",
    ),
    (
        "server/notebook_server/main.py",
        r#""""Serves."""
from fastapi import FastAPI
from mcp.server.fastmcp import FastMCP

from .settings import Settings, load
from .tools import kernels

mcp = FastMCP("notebook")
app = FastAPI()


@app.websocket("/ws/{session_id}")
async def session(websocket, session_id):
    await kernels.attach(websocket, session_id)
"#,
    ),
    (
        "server/notebook_server/settings.py",
        r#"from typing import Literal

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    HOST: str = "127.0.0.1"
    PORT: int = 8000
    LOG_LEVEL: Literal["debug", "info", "warning"] = "info"
    POD_NAMESPACE: str = "default"
"#,
    ),
    ("server/notebook_server/tools/__init__.py", ""),
    (
        "server/notebook_server/tools/kernels.py",
        r#"async def start(api, namespace, body):
    api.create_namespaced_pod(namespace, body)
    api.create_namespaced_deployment(namespace, body)
"#,
    ),
    (
        "extension/package.json",
        r#"{
  "name": "notebook-vscode",
  "publisher": "someone",
  "version": "0.3.0-rc.1",
  "license": "MIT",
  "repository": "https://github.com/a/b",
  "engines": { "vscode": "^1.90.0" },
  "main": "./out/extension.js",
  "contributes": {
    "viewsContainers": {
      "activitybar": [{ "id": "n", "title": "N", "icon": "resources/icon.svg" }]
    }
  },
  "scripts": {
    "vscode:prepublish": "npm run build:renderer",
    "build:renderer": "node esbuild.renderer.mjs",
    "test:all": "npm run test:e2e"
  },
  "devDependencies": { "esbuild": "^0.25.0" }
}
"#,
    ),
    (
        "extension/esbuild.renderer.mjs",
        "build({ outfile: 'out/renderer.js' });\n",
    ),
    ("extension/python_server/src/main.py", "print('copied')\n"),
    (
        "extension/scripts/build-wheel.sh",
        "set -e\nbash scripts/inject-version.sh\nnpm run bundle-python\n",
    ),
    (
        ".github/workflows/offline.yml",
        "on: push\njobs:\n  test:\n    steps:\n      - name: Prepare: Install\n",
    ),
    (
        "deploy/Dockerfile",
        r#"FROM python:latest
WORKDIR /app
COPY server/ /app/
COPY requirements-docker.txt /app/
RUN pip install -r /app/requirements.txt
EXPOSE 3000
HEALTHCHECK CMD curl -f http://localhost:3000/health || exit 1
CMD ["python", "-m", "notebook_server", "--port", "8000"]
"#,
    ),
    (
        "deploy/rbac.yaml",
        r#"apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: notebook
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, create]
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata:
  name: notebook
"#,
    ),
    (
        "deploy/production.yaml",
        r#"apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: notebook
spec:
  replicas: 1
  selector:
    matchLabels: { app: notebook }
  template:
    metadata:
      labels: { app: notebook }
    spec:
      containers:
        - name: server
          image: someone/notebook:latest
          ports: [{ name: http, containerPort: 8000 }]
          env:
            - name: MCP_HOST
              value: 0.0.0.0
            - name: LOG_LEVEL
              value: INFO
            - name: KUBERNETES_NAMESPACE
              value: default
          livenessProbe:
            httpGet: { path: /health, port: http }
          volumeMounts:
            - { name: workspace, mountPath: /workspace }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: notebook-data
spec:
  accessModes: [ReadWriteOnce]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: notebook
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: StatefulSet, name: notebook }
  minReplicas: 1
  maxReplicas: 10
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: notebook
spec:
  minAvailable: 0
  selector:
    matchLabels: { app: notebook }
---
apiVersion: v1
kind: Service
metadata:
  name: notebook
spec:
  selector: { app: notebook }
  ports: [{ port: 80, targetPort: http }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: notebook
spec:
  podSelector:
    matchLabels: { app: notebook }
  ingress:
    - from:
        - podSelector:
            matchLabels: { app: server-manager }
  egress:
    - to:
        - namespaceSelector:
            matchLabels: { name: kube-system }
      ports:
        - { protocol: UDP, port: 53 }
"#,
    ),
    (
        "chart/templates/deployment.yaml",
        "kind: Deployment\nreplicas: {{ .Values.replicas }}\n",
    ),
];

# PYTHON makes the environment; everything else is run from .venv.
PYTHON ?= python3
BIN := .venv/bin
# The one place that says how tests are spread: a worker for each core, a file stays with its worker, slow folders first.
PYTEST_FLAGS ?= -n auto --dist loadfile --no-loadscope-reorder
PACKAGES := bpmn engine ledger webapp

# What Python has compiled is kept, whatever the machine's environment says: every process started anew would compile
# all it imports again, which is most of what it does until it answers.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint bench faults lock pictures clean

help: ## 列出这些命令
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: python ## 准备运行所需的一切：.venv、锁定的依赖、前端打包（已就绪的步骤自动跳过）
	@$(PYTHON) tools/prepare.py

setup-dev: python ## 同 setup，另加测试与检查工具
	@$(PYTHON) tools/prepare.py --dev

run: setup ## 启动演示：http://127.0.0.1:8000
	@$(BIN)/duban demo

test: python ## 运行全部测试（缺 Chromium 时先安装或提示）
	@$(PYTHON) tools/prepare.py --dev --browser
	@$(BIN)/pytest $(PYTEST_FLAGS)

lint: setup-dev ## 检查格式、风格、类型与依赖方向
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: setup-dev ## 性能测量，每项一行 JSON
	@$(BIN)/python -m tests.bench

faults: setup-dev ## 故障演练：两种数据库上共杀进程 200 次，每次一行 JSON，最后核账
	@$(BIN)/python -m tests.faults

pictures: setup-dev ## 重新生成文档中的截图
	@$(BIN)/python -m tests.pictures

lock: python ## 重新解析并锁定全部依赖版本
	@$(PYTHON) tools/prepare.py --lock --dev

clean: ## 删除环境、依赖、打包结果与缓存（不动数据）
	rm -rf .venv node_modules webapp/static/dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(PACKAGES) tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: python
python:
	@command -v $(PYTHON) >/dev/null || { echo "没有找到 $(PYTHON)，请先安装 Python 3.11 或更高版本（Debian / Ubuntu：apt-get install python3 python3-venv）"; exit 1; }

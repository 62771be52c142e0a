"""What can go wrong between a command and a diagram."""


class EngineError(Exception):
    """A step cannot be taken, or stored state does not fit its version. The message is for people."""


class StepNotOpen(EngineError):
    """The step or timer is not waiting: somebody was faster, or an advance was replayed."""

    def __init__(self, step: str) -> None:
        super().__init__(f"步骤 {step} 当前不可办理，可能已由他人办完。")
        self.step = step


class ValueRefused(EngineError):
    """A value that no diagram may see."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"流程不接受这些值：{'、'.join(names)}")
        self.names = names


class UnknownVersion(EngineError):
    """The version was never registered in this process."""

    def __init__(self, version: str) -> None:
        super().__init__(f"版本 {version} 尚未载入。")
        self.version = version

"""The language server: what the engine of this package says, in the words of the protocol. Needs the extra `lsp`."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from pointsman import __version__
from pointsman.editor.completion import Item, ItemKind, completion
from pointsman.editor.definition import definitions
from pointsman.editor.desk import Desk, Sheet, TreeAt
from pointsman.editor.hover import hover
from pointsman.model.problem import Place, PointsmanError, Problem, Severity

SETTLED_SECONDS = 0.2

_WORD = re.compile(r"""\"(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s:#,\[\]{}]|:(?=\S)|(?<=\S)#|[ \t]+(?=[^\s#]))+""")
_ICONS = {
    ItemKind.KEY: lsp.CompletionItemKind.Property,
    ItemKind.VALUE: lsp.CompletionItemKind.Value,
    ItemKind.TARGET: lsp.CompletionItemKind.File,
    ItemKind.ACTION: lsp.CompletionItemKind.Method,
    ItemKind.WORKFLOW: lsp.CompletionItemKind.Module,
    ItemKind.VERSION: lsp.CompletionItemKind.Constant,
    ItemKind.PERSON: lsp.CompletionItemKind.Text,
    ItemKind.TEMPLATE: lsp.CompletionItemKind.Class,
    ItemKind.VARIABLE: lsp.CompletionItemKind.Variable,
}
_SEVERITIES = {Severity.ERROR: lsp.DiagnosticSeverity.Error, Severity.WARNING: lsp.DiagnosticSeverity.Warning}


def language_server(tree_at: TreeAt) -> LanguageServer:
    """A server that finds the tree of each file with `tree_at`; start it with its `start_io`."""
    server = LanguageServer("pointsman", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
    service = _Service(server, Desk(tree_at))
    handlers: dict[str, Callable[[Any], Awaitable[Any]]] = {
        lsp.TEXT_DOCUMENT_DID_OPEN: service.opened,
        lsp.TEXT_DOCUMENT_DID_CHANGE: service.changed,
        lsp.TEXT_DOCUMENT_DID_SAVE: service.saved,
        lsp.TEXT_DOCUMENT_DID_CLOSE: service.closed,
        lsp.TEXT_DOCUMENT_COMPLETION: service.completed,
        lsp.TEXT_DOCUMENT_HOVER: service.hovered,
        lsp.TEXT_DOCUMENT_DEFINITION: service.defined,
    }
    options = {lsp.TEXT_DOCUMENT_COMPLETION: lsp.CompletionOptions(trigger_characters=[" ", "/", "{"])}
    for method, handler in handlers.items():
        server.feature(method, options.get(method))(_function(handler))
    return server


def _function(handler: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    """The handler as a function, because pygls marks what it registers, and a method takes no marks."""

    async def handle(told: Any) -> Any:  # noqa: ANN401 - each method of the protocol has its own types
        return await handler(told)

    return handle


class _Service:
    """Answers one editor. Trees are read in a thread, one look at a time; nothing that fails there ends the server."""

    def __init__(self, server: LanguageServer, desk: Desk) -> None:
        self._server = server
        self._desk = desk
        self._waiting: dict[Path, asyncio.Task[None]] = {}
        self._looking = asyncio.Lock()

    # What the editor tells

    async def opened(self, told: lsp.DidOpenTextDocumentParams) -> None:
        self._settle(told.text_document.uri, after=0)

    async def changed(self, told: lsp.DidChangeTextDocumentParams) -> None:
        self._settle(told.text_document.uri, after=SETTLED_SECONDS)

    async def saved(self, told: lsp.DidSaveTextDocumentParams) -> None:
        sheet = self._sheet(told.text_document.uri)
        if sheet is not None:
            self._guarded(lambda: self._desk.refresh(sheet.folder))
            self._settle(told.text_document.uri, after=0)

    async def closed(self, told: lsp.DidCloseTextDocumentParams) -> None:
        self._publish(told.text_document.uri, [])
        self._settle(told.text_document.uri, after=SETTLED_SECONDS)

    # What the editor asks

    async def completed(self, asked: lsp.CompletionParams) -> lsp.CompletionList | None:
        sheet = await self._ready(asked.text_document.uri)
        if sheet is None or sheet.file is None:
            return None
        file, lines = sheet.file, self._lines(asked.text_document.uri)
        at = self._place(lines, asked.position)
        known = self._desk.known(sheet.folder)
        found = self._guarded(lambda: completion("\n".join(lines), at.line, at.character, file=file, known=known))
        if found is None:
            return None
        where = self._range(lines, found.line, found.start, found.end)
        items = [_completion_item(item, number, where) for number, item in enumerate(found.items)]
        return lsp.CompletionList(is_incomplete=not found.is_complete, items=items)

    async def hovered(self, asked: lsp.HoverParams) -> lsp.Hover | None:
        sheet = await self._ready(asked.text_document.uri)
        if sheet is None or sheet.file is None:
            return None
        file, lines = sheet.file, self._lines(asked.text_document.uri)
        at = self._place(lines, asked.position)
        known = self._desk.known(sheet.folder)
        found = self._guarded(lambda: hover("\n".join(lines), at.line, at.character, file=file, known=known))
        if found is None:
            return None
        told = lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=found.markdown)
        return lsp.Hover(contents=told, range=self._range(lines, at.line, found.start, found.end))

    async def defined(self, asked: lsp.DefinitionParams) -> list[lsp.Location] | None:
        sheet = await self._ready(asked.text_document.uri)
        if sheet is None or sheet.file is None:
            return None
        file, lines = sheet.file, self._lines(asked.text_document.uri)
        at = self._place(lines, asked.position)
        known, path = self._desk.known(sheet.folder), self._desk.place(sheet)
        found = self._guarded(
            lambda: definitions("\n".join(lines), at.line, at.character, file=file, known=known, path=path)
        )
        return [self._location(sheet.folder, place) for place in found or ()]

    # Looking at trees

    async def _ready(self, uri: str) -> Sheet | None:
        """The file, once its tree was looked at."""
        sheet = self._sheet(uri)
        if sheet is not None and not self._desk.has_seen(sheet.folder):
            await self._look(sheet.folder)
        return sheet

    def _settle(self, uri: str, *, after: float) -> None:
        """Look at a file's tree when nothing has changed for a while."""
        sheet = self._sheet(uri)
        if sheet is None:
            return
        before = self._waiting.pop(sheet.folder, None)
        if before is not None:
            before.cancel()

        async def settled() -> None:
            await asyncio.sleep(after)
            # from here on it is not to be cancelled: a thread goes on anyway
            self._waiting.pop(sheet.folder, None)
            await self._look(sheet.folder)

        self._waiting[sheet.folder] = asyncio.create_task(settled())

    async def _look(self, folder: Path) -> None:
        """Look at a tree with its unsaved texts, and publish what is wrong with those of its files that are open."""
        async with self._looking:
            open_here = {
                uri: sheet
                for uri in list(self._server.workspace.text_documents)
                if (sheet := self._sheet(uri)) is not None and sheet.folder == folder
            }
            unsaved = {
                sheet.path: self._source(uri).encode("utf-8", "surrogatepass") for uri, sheet in open_here.items()
            }
            try:
                await asyncio.to_thread(self._desk.look, folder, unsaved)
            except Exception as error:  # noqa: BLE001 - whatever stands in a repository, the editor keeps its server
                self._tell(error)
                return
        for uri, sheet in open_here.items():
            if uri in self._server.workspace.text_documents:
                lines = self._lines(uri)
                self._publish(uri, [self._diagnostic(lines, problem) for problem in self._desk.problems(sheet)])

    def _sheet(self, uri: str) -> Sheet | None:
        path = to_fs_path(uri)
        return None if path is None else self._guarded(lambda: self._desk.sheet(Path(path)))

    def _guarded(self, asked: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it gives back is the caller's
        """What was asked for, or None and a line in the editor's log."""
        try:
            return asked()
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(error)
            return None

    def _tell(self, error: Exception) -> None:
        says = error.says if isinstance(error, PointsmanError) else f"{type(error).__name__}: {error}"
        kind = lsp.MessageType.Warning if isinstance(error, PointsmanError) else lsp.MessageType.Error
        self._server.window_log_message(lsp.LogMessageParams(type=kind, message=f"pointsman: {says}"))

    # Texts and positions

    def _source(self, uri: str) -> str:
        return self._server.workspace.get_text_document(uri).source

    def _lines(self, uri: str) -> list[str]:
        """The lines as Pointsman counts them, which are not all that Python would take for lines."""
        return self._source(uri).replace("\r\n", "\n").split("\n")

    def _place(self, lines: list[str], position: lsp.Position) -> lsp.Position:
        """A position of the editor's as line and character."""
        line = min(position.line, len(lines) - 1)
        codec = self._server.workspace.position_codec
        found = codec.position_from_client_units(lines, lsp.Position(line, position.character))
        return lsp.Position(found.line, min(found.character, len(lines[line])))

    def _range(self, lines: list[str], line: int, start: int, end: int) -> lsp.Range:
        """A range of characters in a line, as the editor counts."""
        text = lines[line] if line < len(lines) else ""
        units = self._server.workspace.position_codec.client_num_units
        return lsp.Range(start=lsp.Position(line, units(text[:start])), end=lsp.Position(line, units(text[:end])))

    def _diagnostic(self, lines: list[str], problem: Problem) -> lsp.Diagnostic:
        line, start = problem.place.line - 1, problem.place.column - 1
        text = lines[line] if line < len(lines) else ""
        word = _WORD.match(text, start)
        hint = f"\n{problem.hint}" if problem.hint else ""
        return lsp.Diagnostic(
            range=self._range(lines, line, start, word.end() if word else start + 1),
            severity=_SEVERITIES[problem.severity],
            code=problem.code.value,
            source="pointsman",
            message=f"{problem.message}{hint}",
        )

    def _location(self, folder: Path, place: Place) -> lsp.Location:
        uri = from_fs_path(str(self._desk.path(folder, place.path))) or ""
        return lsp.Location(
            uri=uri, range=self._range(self._lines(uri), place.line - 1, place.column - 1, place.column - 1)
        )

    def _publish(self, uri: str, diagnostics: list[lsp.Diagnostic]) -> None:
        self._server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics))


def _completion_item(item: Item, number: int, where: lsp.Range) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        label=item.label,
        kind=_ICONS[item.kind],
        documentation=item.says or None,
        sort_text=f"{number:05}",
        filter_text=item.label,
        text_edit=lsp.TextEdit(range=where, new_text=item.insert),
    )

"""stub"""
from starlette.responses import PlainTextResponse
def error_page(request, status, says, hint): return PlainTextResponse(f"{says} {hint}", status)
ROUTES=()

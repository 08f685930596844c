import asyncio

from fastapi import APIRouter, FastAPI
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
shop = APIRouter(prefix="/shop")


@app.get("/users/{id}")
async def user(id: str):
    return f"user {id}"


@app.post("/orders", status_code=201)
async def order():
    return "ordered"


@app.get("/slow")
async def slow():
    await asyncio.sleep(1)
    return "slow"


@shop.get("/items")
async def items():
    return "items"


app.include_router(shop)
Instrumentator().instrument(app).expose(app)

import os
import time

from flask import Blueprint, Flask
from prometheus_flask_exporter import PrometheusMetrics
from prometheus_flask_exporter.multiprocess import GunicornInternalPrometheusMetrics

app = Flask(__name__)
several = "PROMETHEUS_MULTIPROC_DIR" in os.environ
metrics = GunicornInternalPrometheusMetrics(app) if several else PrometheusMetrics(app)
shop = Blueprint("shop", __name__, url_prefix="/shop")


@app.get("/users/<id>")
def user(id):
    return f"user {id}"


@app.post("/orders")
def order():
    return "ordered", 201


@app.get("/slow")
def slow():
    time.sleep(1)
    return "slow"


@shop.get("/items")
def items():
    return "items"


app.register_blueprint(shop)

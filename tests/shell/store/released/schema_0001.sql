BEGIN TRANSACTION;
CREATE TABLE algotrade_schema (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT algotrade_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "algotrade_schema" VALUES('0001');
CREATE TABLE candles (
	series_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	open DOUBLE NOT NULL,
	high DOUBLE NOT NULL,
	low DOUBLE NOT NULL,
	close DOUBLE NOT NULL,
	volume DOUBLE NOT NULL,
	CONSTRAINT candles_key PRIMARY KEY (series_id, time),
	FOREIGN KEY(series_id) REFERENCES series (id)
)
 WITHOUT ROWID
;
CREATE TABLE checks (
	"key" TEXT NOT NULL,
	document TEXT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE TABLE coverage (
	series_id INTEGER NOT NULL,
	start BIGINT NOT NULL,
	"end" BIGINT NOT NULL,
	CONSTRAINT coverage_key PRIMARY KEY (series_id, start),
	FOREIGN KEY(series_id) REFERENCES series (id)
);
CREATE TABLE markets (
	exchange TEXT NOT NULL,
	symbol TEXT NOT NULL,
	quantity_step DOUBLE NOT NULL,
	price_tick DOUBLE NOT NULL,
	min_quantity DOUBLE NOT NULL,
	min_notional DOUBLE NOT NULL,
	taker_fee DOUBLE,
	maker_fee DOUBLE,
	can_short BOOLEAN NOT NULL,
	updated BIGINT NOT NULL,
	CONSTRAINT markets_key PRIMARY KEY (exchange, symbol)
);
CREATE TABLE runs (
	id TEXT NOT NULL,
	created_ms BIGINT NOT NULL,
	kind TEXT NOT NULL,
	symbol TEXT NOT NULL,
	timeframe TEXT NOT NULL,
	strategy TEXT NOT NULL,
	final_equity DOUBLE,
	document TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE series (
	id INTEGER NOT NULL,
	exchange TEXT NOT NULL,
	symbol TEXT NOT NULL,
	timeframe TEXT NOT NULL,
	origin TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT series_key UNIQUE (exchange, symbol, timeframe, origin)
);
CREATE VIEW candle_view AS
SELECT exchange, symbol, timeframe, origin, time, open, high, low, close, volume
FROM candles JOIN series ON series.id = candles.series_id;
CREATE INDEX ix_runs_created_ms ON runs (created_ms);
COMMIT;

"""An order saga: stock, fraud check, card, invoice, gift wrap, shipping and mail."""

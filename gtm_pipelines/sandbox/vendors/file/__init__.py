"""Spreadsheets: the exports somebody keeps by hand, written as files (exports.py) and served by nobody."""

"""The report that people send: one content, as a page, a PDF, a workbook, a table or JSON."""

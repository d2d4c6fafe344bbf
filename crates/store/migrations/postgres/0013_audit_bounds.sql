DROP INDEX audit_log_by_action;
CREATE INDEX audit_log_same ON audit_log (action, kind, who, subject, address, result, code, at);
CREATE INDEX audit_log_by_result ON audit_log (result, seq);

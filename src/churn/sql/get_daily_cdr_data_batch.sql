CREATE PROCEDURE GetDailyCDRDataBatch(IN startDate DATE)
    SQL SECURITY INVOKER
    MODIFIES SQL DATA
    COMMENT 'Outgoing calls, their time (s), data purchases and their volume (bytes) by day from startDate on'
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;
    IF startDate IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'startDate must be a date, for example 2026-01-31';
    END IF;
    START TRANSACTION;
    DELETE FROM DailySummary WHERE Date >= startDate;
    INSERT INTO DailySummary (Date, Total_Outgoing_Calls, Total_Outgoing_Call_Time, Total_Data_Purchases, Total_Data_Volume)
    SELECT
        DATE(DP_DATE),
        COALESCE(SUM(DP_MOC_COUNT), 0),
        COALESCE(SUM(DP_MOC_DURATION), 0),
        COALESCE(SUM(DP_DATA_COUNT), 0),
        COALESCE(SUM(DP_DATA_VOLUME), 0)
    FROM DP_CDR_Data
    WHERE DP_DATE >= startDate
    GROUP BY DATE(DP_DATE);
    COMMIT;
    SELECT Date, Total_Outgoing_Calls, Total_Outgoing_Call_Time, Total_Data_Purchases, Total_Data_Volume
    FROM DailySummary
    WHERE Date >= startDate
    ORDER BY Date;
END

// What the sink says of itself.
using Estat.Topics.Messages;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

internal sealed partial class SinkLoop
{
    private void ReportRunning()
    {
        if (_state.Activity != SinkActivity.Running)
        {
            _told.End();
            _state = new(SinkActivity.Running, null, _time.GetUtcNow());
            LogRunning(_logger);
        }
    }

    private void ReportWaiting(SinkTrouble trouble, Exception error)
    {
        string why = SqlErrors.Text(error);
        ShowWaiting(trouble, why);
        if (!_told.IsNews(_state.Why!))
        {
            return;
        }

        switch (trouble)
        {
            case SinkTrouble.Database:
                LogWaiting(_logger, why);
                break;
            case SinkTrouble.Log:
                LogLogFailed(_logger, error);
                break;
            case SinkTrouble.HandOver:
                LogHandedOver(_logger, why);
                break;
            default:
                LogDefect(_logger, error);
                break;
        }
    }

    private void ShowWaiting(SinkTrouble trouble, string why)
    {
        why = $"{SinkTroubles.NameOf(trouble)}: {why}";
        if (_state.Activity != SinkActivity.Waiting || _state.Why != why)
        {
            _state = new(SinkActivity.Waiting, why, _state.Activity == SinkActivity.Waiting ? _state.Since : _time.GetUtcNow());
        }
    }

    private void ShowPinned(PinnedError pinned) => ShowWaiting(SinkTrouble.Database, $"it does not take {pinned.At}: {pinned.Error}");

    // What could not be made or dropped stops nothing, and so is told apart from the state.
    private void ReportChores()
    {
        if (_store.ChoreFault is not { } fault)
        {
            if (_toldChores.Lasts)
            {
                _toldChores.End();
                LogChoresDone(_logger);
            }
        }
        else if (_toldChores.IsNews(fault))
        {
            LogChores(_logger, fault);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink stores messages")]
    private static partial void LogRunning(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink is paused")]
    private static partial void LogPaused(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink has {Count} partitions: {Came} came, {Went} went")]
    private static partial void LogPartitions(ILogger logger, int count, int came, int went);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sink waits for the database: {Why}. Messages wait in the log")]
    private static partial void LogWaiting(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sink gives partitions away: {Why}")]
    private static partial void LogHandedOver(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Partitions of days cannot be made or dropped: {Why}. Messages are stored; it is tried again")]
    private static partial void LogChores(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Partitions of days are made and dropped again")]
    private static partial void LogChoresDone(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "The sink cannot read the log, and begins anew")]
    private static partial void LogLogFailed(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The sink cannot get past {Position}: {Error}. It tries again; the operator may give it up")]
    private static partial void LogPinned(ILogger logger, MessagePosition position, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log deleted {Count} messages of {Partition} before they were stored")]
    private static partial void LogExpired(ILogger logger, long count, TopicPartition partition);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The sink failed in a way that it does not know. It goes on after a while")]
    private static partial void LogDefect(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The sink stopped: {Fault}")]
    private static partial void LogStopped(ILogger logger, string fault);
}

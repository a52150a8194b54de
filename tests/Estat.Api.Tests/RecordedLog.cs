// What was logged, as it would be read.
using Microsoft.Extensions.Logging;

namespace Estat.Api.Tests;

/// <summary>Keeps each line as <c>Level: message</c>. Any thread.</summary>
internal sealed class RecordedLog : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];

    /// <summary>Is called with each line before it is kept; may hold whoever logs, as a pipe does that nobody reads.</summary>
    internal Action? OnLine { get; set; }

    internal IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        OnLine?.Invoke();
        lock (_lines)
        {
            _lines.Add($"{logLevel}: {formatter(state, exception)}");
        }
    }

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}

// Durations as Go spells them.
using System.Globalization;
using Estat.Base.Options;

namespace Estat.Base.Tests.Options;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("3s", "00:00:03")]
    [InlineData("2m", "00:02:00")]
    [InlineData("24h", "1.00:00:00")]
    [InlineData("1h30m", "01:30:00")]
    [InlineData("500ms", "00:00:00.5")]
    [InlineData("1.5h", "01:30:00")]
    [InlineData("1m0.25s", "00:01:00.25")]
    [InlineData("0", "00:00:00")]
    [InlineData("0s", "00:00:00")]
    [InlineData("8760h", "365.00:00:00")]
    public void A_duration_is_read_as_Go_reads_it(string text, string expected)
    {
        Assert.True(GoDuration.TryParse(text, out TimeSpan duration));
        Assert.Equal(TimeSpan.Parse(expected, CultureInfo.InvariantCulture), duration);
    }

    [Fact]
    public void What_Go_does_not_read_is_refused()
    {
        string[] wrong =
        [
            "", "3", "s", "3 s", "3S", "-3s", "+3s", "1d", "1h30", "1..5s", ".s", "1e3s", "1,5s", "99999999999999999999h", "00:00:03",
        ];
        Assert.All(wrong, text => Assert.False(GoDuration.TryParse(text, out _)));
    }

    [Fact]
    public void Every_whole_number_of_milliseconds_is_exact_and_prints_as_it_is_read()
    {
        for (int milliseconds = 0; milliseconds <= 20_000; milliseconds++)
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            Assert.True(GoDuration.TryParse($"{milliseconds}ms", out TimeSpan parsed));
            Assert.Equal(duration, parsed);
            Assert.True(GoDuration.TryParse(string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000m}s"), out parsed));
            Assert.Equal(duration, parsed);
            Assert.True(GoDuration.TryParse(GoDuration.Format(duration), out parsed));
            Assert.Equal(duration, parsed);
        }
    }
}

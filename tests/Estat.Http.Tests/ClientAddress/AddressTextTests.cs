// Addresses as proxies write them.
using System.Text;
using Estat.Http.ClientAddress;

namespace Estat.Http.Tests.ClientAddress;

public sealed class AddressTextTests
{
    [Theory]
    [InlineData("1.1.1.1", "1.1.1.1")]
    [InlineData("223.255.255.255", "223.255.255.255")]
    [InlineData("172.15.255.255", "172.15.255.255")]
    [InlineData("172.32.0.0", "172.32.0.0")]
    [InlineData("100.63.255.255", "100.63.255.255")]
    [InlineData("100.128.0.0", "100.128.0.0")]
    [InlineData("192.167.255.255", "192.167.255.255")]
    [InlineData("11.0.0.0:65535", "11.0.0.0")]
    [InlineData("2606:4700::1111", "2606:4700::1111")]
    [InlineData("[2606:4700::1111]", "2606:4700::1111")]
    [InlineData("[2606:4700::1111]:443", "2606:4700::1111")]
    [InlineData("2606:4700:0:0:0:0:0:1111", "2606:4700::1111")]
    [InlineData("::ffff:8.8.8.8", "8.8.8.8")]
    [InlineData("::FFFF:808:808", "8.8.8.8")]
    [InlineData("[::ffff:8.8.8.8]:80", "8.8.8.8")]
    [InlineData("2606:4700::0A%eth0", "2606:4700::a")]
    [InlineData("[2606:4700::1111%25]:443", "2606:4700::1111")]
    [InlineData("2606:4700::1111%", "2606:4700::1111")]
    public void A_public_address_is_read_without_its_port(string text, string address) => Assert.Equal(address, ReadPublic(text));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.255.255.255")]
    [InlineData("127.0.0.1:80")]
    [InlineData("100.64.0.0")]
    [InlineData("100.127.255.255")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.0")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("[::1]:80")]
    [InlineData("fe80::1")]
    [InlineData("fc00::1")]
    [InlineData("fdff::1")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:192.168.0.1")]
    public void An_address_that_no_client_on_the_internet_has_is_passed_over(string text) => Assert.Null(ReadPublic(text));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("unknown")]
    [InlineData("1.1.1")]
    [InlineData("1.1.1.1.1")]
    [InlineData("1.1.1.")]
    [InlineData(".1.1.1")]
    [InlineData("1..1.1")]
    [InlineData("256.1.1.1")]
    [InlineData("1.1.1.0001")]
    [InlineData("99999999999999999999")]
    [InlineData("1234567890")]
    [InlineData("0x01010101")]
    [InlineData("-1.1.1.1")]
    [InlineData("[")]
    [InlineData("]")]
    [InlineData("[]")]
    [InlineData("[]:80")]
    [InlineData("[1.1.1.1")]
    [InlineData(":80")]
    [InlineData("1.1.1.1 2.2.2.2")]
    [InlineData("2606:4700:::1")]
    [InlineData("2606:4700::1111::1")]
    [InlineData("estat.example:80")]
    [InlineData("203.0.113.09")]
    [InlineData("203.0.113.00")]
    [InlineData("0203.0.113.9")]
    [InlineData("0xcb.0x0.0x71.0x9")]
    [InlineData("203.0.28937")]
    [InlineData("203.0.113.9:")]
    [InlineData("203.0.113.9:http")]
    [InlineData("203.0.113.9:65536")]
    [InlineData("203.0.113.9:1:2")]
    [InlineData("203.0.113.9%eth0")]
    [InlineData("203.0.113.9/32")]
    [InlineData("[203.0.113.9]")]
    [InlineData("[2606:4700::1111]443")]
    [InlineData("[2606:4700::1111]:")]
    [InlineData("[2606:4700::1111]:https")]
    [InlineData("[[2606:4700::1111]]")]
    [InlineData("2606:4700::1111/64")]
    [InlineData("::ffff:8.8.8.08")]
    [InlineData("::ffff:8.8.8")]
    [InlineData("::ffff:0x8.8.8.8")]
    [InlineData("%eth0")]
    public void Nonsense_is_no_address(string text)
    {
        Assert.Null(ReadPublic(text));
        Assert.Null(ReadWithPort(text + ":80"));
        Assert.Null(AddressText.TryRead(text));
    }

    [Theory]
    [InlineData("203.0.113.7:1", "203.0.113.7")]
    [InlineData("10.0.0.1:65535", "10.0.0.1")]
    [InlineData("2001:db8::7:4711", "2001:db8::7")]
    [InlineData("[2001:db8::7]:4711", "2001:db8::7")]
    [InlineData("2001:DB8::07%2:4711", "2001:db8::7")]
    [InlineData("::ffff:203.0.113.7:4711", "203.0.113.7")]
    [InlineData("2001:db8::7:port", null)]
    [InlineData("203.0.113.7", null)]
    public void CloudFronts_form_is_read_without_its_port(string text, string? address) => Assert.Equal(address, ReadWithPort(text));

    [Theory]
    [InlineData("fe80::1%2", "fe80::1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    public void The_other_end_of_a_connection_is_written_in_the_same_form(string address, string written) =>
        Assert.Equal(written, Encoding.ASCII.GetString(
            Peer.Of(System.Net.IPAddress.Parse(address), new TrustedProxies([])).ClientOf(new Microsoft.AspNetCore.Http.HeaderDictionary())));

    private static string? ReadPublic(string text)
    {
        Span<byte> address = stackalloc byte[64];
        return AddressText.TryReadPublic(text, address, out int length) ? Encoding.ASCII.GetString(address[..length]) : null;
    }

    private static string? ReadWithPort(string text)
    {
        Span<byte> address = stackalloc byte[64];
        return AddressText.TryReadWithPort(text, address, out int length) ? Encoding.ASCII.GetString(address[..length]) : null;
    }
}

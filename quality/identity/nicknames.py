"""Short forms of given names, so that Bob Miller and Robert Miller on one phone are one person.

Only forms that mean one full name: ``Alex``, ``Chris``, ``Sam`` or ``Pat`` stand for several and are left alone.
"""

from __future__ import annotations

_FORMS = """
abigail abby gail|andrew andy drew|anthony tony|barbara barb barbie|benjamin ben benny|bradley brad
catherine cathy cate|charles charlie chuck|christina tina|christopher topher|cynthia cindy|daniel dan danny
david dave davey|deborah deb debbie|donald don donnie|dorothy dot dottie|douglas doug|edward ed eddie ted
elizabeth liz lizzie beth betsy eliza|eugene gene|frederick fred freddie|gerald gerry|gregory greg|harold hal
jacob jake|james jim jimmy jamie|jeffrey jeff|jennifer jen jenny|jessica jess jessie|john johnny jack
jonathan jon|joseph joe joey|joshua josh|katherine kate katie kathy|kenneth ken kenny|kimberly kim|lawrence larry
leonard leo len|louis lou|margaret maggie meg peggy|matthew matt|melissa missy|michael mike mikey mick
nathaniel nate|nicholas nick nicky|pamela pam|patricia patty trish|peter pete|philip phil|rebecca becky becca
richard rick dick richie|robert bob bobby rob robbie|ronald ron ronnie|russell russ|samuel sammy
stephen steven steve stevie|susan sue susie|theodore theo|theresa terri tess|thomas tom tommy
timothy tim timmy|valerie val|victoria vicky tori|vincent vince vinny|walter walt|william will bill billy willy
zachary zach zack
"""

FULL_NAMES: dict[str, str] = {
    short: words[0]
    for line in _FORMS.strip().splitlines()
    for group in line.split("|")
    for words in [group.split()]
    for short in words[1:]
}
"""Short form to full form, both normalised."""
